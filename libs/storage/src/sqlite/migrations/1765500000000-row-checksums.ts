import type { MigrationInterface, QueryRunner } from 'typeorm';

const TABLES = ['device', 'device_alias', 'series', 'latest'];

/**
 * What rows say by themselves gets a checksum; null in rows of before, until a store is opened. See row-checksum.ts. What is known
 * of the clock outlasts a start.
 */
export class RowChecksums1765500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`ALTER TABLE "${table}" ADD COLUMN "checksum" integer`);
    await runner.query(`CREATE TABLE "clock_mark" (
      "id" integer PRIMARY KEY NOT NULL,
      "seen_at" integer NOT NULL,
      "remaining" integer,
      "reason" text NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "clock_mark"');
    for (const table of TABLES) await runner.query(`ALTER TABLE "${table}" DROP COLUMN "checksum"`);
  }
}
