import type { MigrationInterface, QueryRunner } from 'typeorm';
import { JournalRowWriter, readJournalRow } from '../../columnar/codec/journal-row.js';
import type { StoredRow } from '../journal.js';

/**
 * From here on rows of the journal are packed; see codec/journal-row.ts. Those of before are read as they are, but a version from
 * before cannot read packed ones, and so must not take the file.
 */
export class PackedJournal1765800000000 implements MigrationInterface {
  async up(): Promise<void> {
    // Nothing of the tables changes.
  }

  async down(runner: QueryRunner): Promise<void> {
    const writer = new JournalRowWriter();
    const rows = (await runner.query('SELECT "id", "data" FROM "journal"')) as StoredRow[];
    for (const { id, data } of rows) {
      const { seriesIds, timestamps, values } = readJournalRow(data, id);
      writer.reserve(values.length);
      values.forEach((value, index) => writer.add(seriesIds[index], timestamps[index], value));
      await runner.query('UPDATE "journal" SET "data" = ? WHERE "id" = ?', [writer.lend(id, 'plain').slice(), id]);
    }
  }
}
