import { Inject, Injectable, Logger } from '@nestjs/common';
import { ColumnsOfGroups, SeriesGroup, type NamedSeries, type Refusal } from '@device-metrics/domain';
import {
  LineScanner,
  TooManyFieldsError,
  type MakeLineGroup,
  type SaidPrecision,
  type ScannedLines,
  type WrongLine,
} from '@device-metrics/formats';
import { Problem } from '../../http/problem.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { apiConfig, type ApiConfig } from '../../settings.js';
import { Accept, assertNoneForNow } from '../accept.js';
import { SparePool } from '../spare-memory.js';
import { lineMeaning } from './name-lines.js';

/** What is remembered of names, so that a line's series are found by its bytes: so many fields of all lines of a database. */
const MOST_FIELDS = 300_000;
/** Databases of which names are remembered. */
const MOST_DATABASES = 16;
/** Fields with texts that the log names. */
const MOST_TEXTS = 1_000;
/** Wrong lines that an answer names. */
const MOST_NAMED = 20;

const groupOf: MakeLineGroup<NamedSeries, SeriesGroup> = (series, again) => new SeriesGroup(series, again);

/** What of a request was not stored. */
export interface NotStored {
  readonly count: number;
  /** The first of them, in the order of their lines. */
  readonly first: readonly WrongLine[];
}

/** Stores lines: numbers become samples, texts are counted. */
@Injectable()
export class TakeLines {
  private readonly logger = new Logger('influx');
  private readonly spare = new SparePool();
  private readonly textsSaid = new Set<string>();
  private readonly scanners = new Map<string, LineScanner<NamedSeries, SeriesGroup>>();

  constructor(
    private readonly gate: Accept,
    private readonly metrics: ApiMetrics,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
  ) {}

  /**
   * Resolves when all that can be stored is on disk.
   *
   * @param database the device of lines that name none.
   */
  async take(body: Uint8Array, database: string, precision: SaidPrecision): Promise<NotStored> {
    const received = await this.gate.receipt('influx');
    const receipt = precision === 'auto' ? received : { ...received, timeUnit: precision };
    const lines = await this.scan(body, database, {
      precision,
      receivedAt: receipt.receivedAt,
      mostWrong: MOST_NAMED,
      spare: this.spare.take(),
    });
    const { series, timestamps, values, groups, wrong, wrongCount } = lines;
    this.noteTexts(lines);
    const refused = wrongCount + lines.texts;
    if (refused > 0) this.metrics.itemsRejected.inc({ protocol: 'influx' }, refused);
    if (timestamps.length === 0 && wrongCount === 0) return { count: 0, first: [] };
    const columns = series ? { series, timestamps, values } : new ColumnsOfGroups(groups ?? [], timestamps, values);
    const answer = await this.gate.acceptColumns(columns, receipt);
    // Stored, or the call has thrown: nobody looks at the columns any more.
    this.spare.giveBack(lines);
    assertNoneForNow(answer, 'fields');
    const { rejected } = answer;
    const faults = [
      ...wrong,
      ...rejected
        .slice(0, MOST_NAMED)
        .map((refusal) => ({ line: lines.lineOf(refusal.item), reason: this.said(refusal, database) })),
    ];
    faults.sort((a, b) => a.line - b.line);
    return { count: wrongCount + rejected.length, first: faults.slice(0, MOST_NAMED) };
  }

  private async scan(
    body: Uint8Array,
    database: string,
    options: Parameters<LineScanner<NamedSeries, SeriesGroup>['scan']>[1],
  ): Promise<ScannedLines<NamedSeries, SeriesGroup>> {
    try {
      return await this.scannerOf(database).scan(body, options);
    } catch (error) {
      if (error instanceof TooManyFieldsError) throw new Problem('batch-too-long', `The body has ${error.message}.`);
      throw error;
    }
  }

  private scannerOf(database: string): LineScanner<NamedSeries, SeriesGroup> {
    let scanner = this.scanners.get(database);
    if (!scanner) {
      if (this.scanners.size >= MOST_DATABASES) this.scanners.clear();
      scanner = new LineScanner(lineMeaning(this.config.influx, database), groupOf, MOST_FIELDS);
      this.scanners.set(database, scanner);
    }
    return scanner;
  }

  private said({ field, reason }: Refusal, database: string): string {
    if (field !== 'device_name' || database !== '' || !reason.endsWith('got ""')) return `${field} ${reason}`;
    const { deviceTags } = this.config.influx;
    const tags = [deviceTags.slice(0, -1).join(', '), ...deviceTags.slice(-1)].filter((tag) => tag !== '').join(' or ');
    return `has no device: it must have a tag ${tags}, or the address a db or bucket`;
  }

  private noteTexts({ newTexts }: ScannedLines<NamedSeries, SeriesGroup>): void {
    const unsaid = newTexts.filter((field) => !this.textsSaid.has(field));
    if (unsaid.length === 0 || this.textsSaid.size >= MOST_TEXTS) return;
    for (const field of unsaid) this.textsSaid.add(field);
    this.logger.warn(`fields that are texts are not stored, only counted as refused: ${unsaid.join(', ')}`);
  }
}
