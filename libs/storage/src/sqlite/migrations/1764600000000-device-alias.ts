import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Names that devices had before: samples for them go on to the device. */
export class DeviceAlias1764600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE "device_alias" ("name" text PRIMARY KEY NOT NULL, "device_id" integer NOT NULL) WITHOUT ROWID',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "device_alias"');
  }
}
