import { ZoneClock } from '@device-metrics/domain';

/** How the formats that people open are written: CSV and spreadsheets. JSON has its times in UTC. */
export interface Style {
  /** Times are by this clock, with its offset; undefined: in UTC. */
  readonly clock: ZoneClock | undefined;
  /** Whether a CSV begins with a byte order mark, by which spreadsheets know that it is UTF-8. */
  readonly bom: boolean;
}

/** What the parameters of a query say. */
export const styleOf = ({ timezone, bom }: { timezone?: string; bom?: string }): Style => ({
  clock: timezone === undefined ? undefined : new ZoneClock(timezone),
  bom: bom === 'true',
});
