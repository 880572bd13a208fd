import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The parts of an hour that is not a chunk yet, and which devices are being deleted. */
export class Parts1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "part" (
      "id" integer NOT NULL,
      "part" integer NOT NULL,
      "sealed_through" integer NOT NULL,
      "stats" blob NOT NULL,
      "data" blob,
      PRIMARY KEY ("id", "part"))`);
    await runner.query('CREATE TABLE "device_deletion" ("device_id" integer PRIMARY KEY NOT NULL)');
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['device_deletion', 'part']) await runner.query(`DROP TABLE "${table}"`);
  }
}
