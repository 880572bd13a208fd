import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Devices whose samples are on their way to another device, and where those of each of their series go. */
export class DeviceMerge1764900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'CREATE TABLE "device_merge" ("source_id" integer PRIMARY KEY NOT NULL, "target_id" integer NOT NULL)',
    );
    await runner.query(`CREATE TABLE "series_merge" (
      "series_id" integer PRIMARY KEY NOT NULL,
      "source_id" integer NOT NULL,
      "target_series_id" integer NOT NULL,
      "factor" double precision NOT NULL,
      "shift" double precision NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "series_merge"');
    await runner.query('DROP TABLE "device_merge"');
  }
}
