import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What people have set up for alerts, the states that are not normal, their history, and messages to send. */
export class Alerts1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "alert_document" (
      "kind" text NOT NULL,
      "name" text NOT NULL,
      "body" text NOT NULL,
      "changed_at" integer NOT NULL,
      PRIMARY KEY ("kind", "name"))`);
    await runner.query(`CREATE TABLE "alert_state" (
      "rule" text NOT NULL,
      "subject" text NOT NULL,
      "device" text NOT NULL,
      "body" text NOT NULL,
      PRIMARY KEY ("rule", "subject"))`);
    await runner.query(`CREATE TABLE "alert_history" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "at" integer NOT NULL,
      "rule" text NOT NULL,
      "subject" text NOT NULL,
      "device" text NOT NULL,
      "body" text NOT NULL)`);
    await runner.query(`CREATE INDEX "alert_history_at" ON "alert_history" ("at")`);
    await runner.query(`CREATE INDEX "alert_history_device" ON "alert_history" ("device", "at")`);
    await runner.query(`CREATE TABLE "alert_message" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "key" text NOT NULL UNIQUE,
      "channel" text NOT NULL,
      "state" text NOT NULL,
      "created_at" integer NOT NULL,
      "next_at" integer NOT NULL,
      "attempts" integer NOT NULL DEFAULT 0,
      "sent_at" integer,
      "error" text,
      "body" text NOT NULL)`);
    await runner.query(`CREATE INDEX "alert_message_due" ON "alert_message" ("state", "next_at")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['alert_message', 'alert_history', 'alert_state', 'alert_document']) {
      await runner.query(`DROP TABLE "${table}"`);
    }
  }
}
