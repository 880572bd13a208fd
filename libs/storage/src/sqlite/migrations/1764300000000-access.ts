import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Who may do what: tokens, users, sessions, invitations, collectors, and what was done. */
export class Access1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "token" (
      "id" text PRIMARY KEY NOT NULL,
      "kind" text NOT NULL,
      "name" text NOT NULL,
      "hash" text NOT NULL,
      "previous_hash" text,
      "previous_until" integer,
      "devices" text,
      "tags" text,
      "page" text,
      "collector_id" text,
      "created_at" integer NOT NULL,
      "created_by" text NOT NULL,
      "rotated_at" integer,
      "expires_at" integer,
      "revoked_at" integer,
      "last_used_at" integer)`);
    await runner.query(`CREATE TABLE "user" (
      "id" text PRIMARY KEY NOT NULL,
      "name" text NOT NULL,
      "name_key" text NOT NULL,
      "role" text NOT NULL,
      "tags" text,
      "password_hash" text,
      "totp" text,
      "totp_step" integer NOT NULL DEFAULT 0,
      "subject" text,
      "created_at" integer NOT NULL,
      "created_by" text NOT NULL,
      "last_sign_in_at" integer,
      CONSTRAINT "user_name" UNIQUE ("name_key"),
      CONSTRAINT "user_subject" UNIQUE ("subject"))`);
    await runner.query(`CREATE TABLE "session" (
      "id" text PRIMARY KEY NOT NULL,
      "user_id" text,
      "token_id" text,
      "created_at" integer NOT NULL,
      "seen_at" integer NOT NULL,
      "expires_at" integer NOT NULL,
      "address" text NOT NULL)`);
    await runner.query('CREATE INDEX "session_user" ON "session" ("user_id")');
    await runner.query(`CREATE TABLE "invitation" (
      "id" text PRIMARY KEY NOT NULL,
      "code_hash" text NOT NULL,
      "uses" integer NOT NULL,
      "max_uses" integer NOT NULL,
      "tags" text NOT NULL,
      "created_at" integer NOT NULL,
      "created_by" text NOT NULL,
      "expires_at" integer NOT NULL,
      "revoked_at" integer,
      CONSTRAINT "invitation_code" UNIQUE ("code_hash"))`);
    await runner.query(`CREATE TABLE "collector" (
      "id" text PRIMARY KEY NOT NULL,
      "name" text NOT NULL,
      "device_name" text NOT NULL,
      "state" text NOT NULL,
      "tags" text NOT NULL,
      "version" text NOT NULL,
      "platform" text NOT NULL,
      "address" text NOT NULL,
      "joined_at" integer NOT NULL,
      "seen_at" integer NOT NULL)`);
    await runner.query(`CREATE TABLE "collector_device" (
      "device_name" text PRIMARY KEY NOT NULL,
      "collector_id" text NOT NULL)`);
    await runner.query('CREATE INDEX "collector_device_collector" ON "collector_device" ("collector_id")');
    await runner.query(`CREATE TABLE "audit" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "at" integer NOT NULL,
      "actor" text NOT NULL,
      "address" text NOT NULL,
      "action" text NOT NULL,
      "target" text NOT NULL,
      "success" boolean NOT NULL,
      "details" text NOT NULL)`);
    for (const change of ['UPDATE', 'DELETE']) {
      await runner.query(`CREATE TRIGGER "audit_no_${change.toLowerCase()}" BEFORE ${change} ON "audit"
        BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['audit', 'collector_device', 'collector', 'invitation', 'session', 'user', 'token']) {
      await runner.query(`DROP TABLE "${table}"`);
    }
  }
}
