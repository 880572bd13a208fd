import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The tables of the journal and the chunks. Samples in the table `sample` are moved when the store opens. */
export class JournalAndChunks1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "journal" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "data" blob NOT NULL)`);
    await runner.query(`CREATE TABLE "chunk" (
      "id" integer PRIMARY KEY NOT NULL,
      "sealed_through" integer NOT NULL,
      "stats" blob NOT NULL,
      "data" blob)`);
    // A column of type real would turn -0 into 0; one without a type keeps every double bit for bit.
    await runner.query(`CREATE TABLE "latest" (
      "series_id" integer PRIMARY KEY NOT NULL,
      "ts" integer NOT NULL,
      "value" NOT NULL,
      CONSTRAINT "latest_series" FOREIGN KEY ("series_id") REFERENCES "series" ("id"))`);
    await runner.query(`CREATE TABLE "damaged" (
      "id" integer PRIMARY KEY AUTOINCREMENT NOT NULL,
      "source" text NOT NULL,
      "source_id" integer NOT NULL,
      "found_at" integer NOT NULL,
      "data" blob NOT NULL)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['damaged', 'latest', 'chunk', 'journal']) await runner.query(`DROP TABLE "${table}"`);
  }
}
