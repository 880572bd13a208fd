import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DevicesSeriesSamples1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "device" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "name" text NOT NULL,
      CONSTRAINT "device_name" UNIQUE ("name"))`);
    await runner.query(`CREATE TABLE "series" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "device_id" integer NOT NULL,
      "metric_name" text NOT NULL,
      "labels_key" text NOT NULL,
      "unit" text,
      CONSTRAINT "series_key" UNIQUE ("device_id", "metric_name", "labels_key"),
      CONSTRAINT "series_device" FOREIGN KEY ("device_id") REFERENCES "device" ("id"))`);
    // A column of type real would turn -0 into 0; one without a type keeps every double bit for bit.
    await runner.query(`CREATE TABLE "sample" (
      "series_id" integer NOT NULL,
      "ts" integer NOT NULL,
      "value" NOT NULL,
      PRIMARY KEY ("series_id", "ts")) WITHOUT ROWID`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "sample"');
    await runner.query('DROP TABLE "series"');
    await runner.query('DROP TABLE "device"');
  }
}
