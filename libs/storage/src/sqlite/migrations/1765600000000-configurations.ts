import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What collectors are to read, by tag, with all its versions; and what each collector says of it. */
export class Configurations1765600000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "configuration" (
      "tag" text NOT NULL,
      "version" bigint NOT NULL,
      "text" text,
      "changed_at" bigint NOT NULL,
      "changed_by" text NOT NULL,
      PRIMARY KEY ("tag", "version"))`);
    await runner.query(`CREATE TABLE "configuration_state" (
      "collector_id" text PRIMARY KEY NOT NULL,
      "asked_at" bigint NOT NULL,
      "allows" text NOT NULL,
      "running" text NOT NULL,
      "refused" text NOT NULL,
      "reason" text NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "configuration_state"');
    await runner.query('DROP TABLE "configuration"');
  }
}
