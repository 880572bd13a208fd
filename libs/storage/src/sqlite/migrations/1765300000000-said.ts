import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What senders say of metrics, and the series that they say have ended. */
export class Said1765300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "metric_description" (
      "name" text PRIMARY KEY NOT NULL,
      "type" text NOT NULL,
      "unit" text NOT NULL,
      "help" text NOT NULL)`);
    await runner.query(`CREATE TABLE "series_end" (
      "series_id" bigint PRIMARY KEY NOT NULL,
      "at" bigint NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "series_end"');
    await runner.query('DROP TABLE "metric_description"');
  }
}
