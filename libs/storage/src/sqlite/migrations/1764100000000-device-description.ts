import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people say of a device. */
export class DeviceDescription1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "device" ADD COLUMN "display_name" text');
    await runner.query('ALTER TABLE "device" ADD COLUMN "notes" text');
    await runner.query(`ALTER TABLE "device" ADD COLUMN "tags" text NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const column of ['tags', 'notes', 'display_name']) {
      await runner.query(`ALTER TABLE "device" DROP COLUMN "${column}"`);
    }
  }
}
