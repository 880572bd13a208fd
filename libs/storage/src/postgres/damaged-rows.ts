import { reasonOf } from '@device-metrics/domain';
import type { Database } from './database.js';

/** What was found damaged: the bytes, kept for whoever wants to look into them. Nothing reads it. */
export class DamagedRows {
  /** How many were ever found, by any process, as far as this one knows. */
  count = 0;
  private readonly known = new Set<string>();
  private writing: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly now: () => number,
    private readonly onProblem: (problem: unknown) => void,
  ) {}

  async load(): Promise<void> {
    const rows = await this.database.rows<{ source: string; source_id: number }>(
      'SELECT source, source_id FROM damaged',
    );
    for (const { source, source_id } of rows) this.known.add(`${source} ${source_id}`);
    this.count = this.known.size;
  }

  /** Keeps bytes whose checksum was wrong, once for all processes. They are on disk once `settled` resolves. */
  setAside(source: string, id: number, data: Uint8Array, error: unknown): void {
    const place = `${source} ${id}`;
    if (this.known.has(place)) return;
    this.known.add(place);
    this.count += 1;
    this.onProblem(
      new Error(
        `the database is damaged: ${place}: ${reasonOf(error)}; its ${data.length} bytes are kept in the table damaged, and everything else goes on`,
      ),
    );
    const bytes = Buffer.from(data);
    this.writing = this.writing
      .then(() => this.insert(source, id, bytes))
      .catch((failure: unknown) => {
        this.known.delete(place);
        this.count -= 1;
        throw failure;
      });
    this.writing.catch(() => undefined);
  }

  /**
   * Resolves once all that was set aside is on disk: nothing may take its place before.
   *
   * @throws StoreUnavailableError where it could not be kept; it is tried again when it is found again.
   */
  async settled(): Promise<void> {
    try {
      await this.writing;
    } finally {
      this.writing = Promise.resolve();
    }
  }

  private async insert(source: string, id: number, data: Buffer): Promise<void> {
    await this.database.run(
      `INSERT INTO damaged (source, source_id, found_at, data) SELECT $1, $2, $3, $4
       WHERE NOT EXISTS (SELECT 1 FROM damaged WHERE source = $1 AND source_id = $2)`,
      [source, id, this.now(), data],
    );
  }
}
