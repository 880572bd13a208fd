import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How collectors that update themselves fare with it. */
export class CollectorUpdate1765400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "collector_update" (
      "collector_id" text PRIMARY KEY NOT NULL,
      "asked_at" bigint NOT NULL,
      "offered" text NOT NULL,
      "offered_at" bigint NOT NULL,
      "tried" text NOT NULL,
      "result" text NOT NULL,
      "reason" text NOT NULL,
      "tried_at" bigint NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "collector_update"');
  }
}
