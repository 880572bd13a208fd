import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Devices whose samples are on their way to another device, and where those of each of their series go. And each writer says of
 * which version of the catalogue it may write: whoever changes that waits for commits that are under way, and is seen by the next.
 */
export class DeviceMerge1765700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE "device_merge" ("source_id" bigint PRIMARY KEY, "target_id" bigint NOT NULL)');
    await runner.query(`CREATE TABLE "series_merge" (
      "series_id" bigint PRIMARY KEY,
      "source_id" bigint NOT NULL,
      "target_series_id" bigint NOT NULL,
      "factor" double precision NOT NULL,
      "shift" double precision NOT NULL)`);
    await runner.query('ALTER TABLE "writer" ADD COLUMN "version" bigint NOT NULL DEFAULT 0');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "writer" DROP COLUMN "version"');
    await runner.query('DROP TABLE "series_merge"');
    await runner.query('DROP TABLE "device_merge"');
  }
}
