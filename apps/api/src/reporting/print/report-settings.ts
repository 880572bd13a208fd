import { isTimeZone } from '@device-metrics/domain';
import { CronTime } from 'cron';
import { timeRangeRule } from '../time-span.js';

/** When and where printable reports of all devices are written without anybody asking. */
export interface ReportSettings {
  /** Cron expression of 5 or 6 fields in `timeZone`; empty: never. */
  readonly schedule: string;
  /** Folder; each run makes a folder of its own in it. */
  readonly path: string;
  /** Hours back from the run, as in the query parameter `time_range`. */
  readonly timeRange: string;
  /** IANA name, of the schedule and of the pages. */
  readonly timeZone: string;
  /** How many runs stay in the folder. */
  readonly keep: number;
}

/**
 * @param text the setting of a name, or its default.
 * @param mistakes takes one line for each setting that can't be used.
 */
export function readReportSettings(
  text: (name: string, fallback: string) => string,
  mistakes: string[],
): ReportSettings {
  const timeRange = text('REPORTS_TIME_RANGE', '24');
  const rangeMistake = timeRangeRule(timeRange);
  if (rangeMistake !== undefined) mistakes.push(`REPORTS_TIME_RANGE ${rangeMistake}`);
  const timeZone = text('REPORTS_TIMEZONE', 'UTC');
  const isZone = isTimeZone(timeZone) && comesToPass('* * * * *', timeZone);
  if (!isZone) mistakes.push(`REPORTS_TIMEZONE must be an IANA time zone as Europe/Berlin, got "${timeZone}"`);
  const schedule = text('REPORTS_SCHEDULE', '');
  if (schedule !== '' && !comesToPass(schedule, isZone ? timeZone : 'UTC')) {
    mistakes.push(
      'REPORTS_SCHEDULE must be a cron expression of minute, hour, day, month and weekday, with seconds before them if ' +
        `wanted, as 0 6 * * 1 for Mondays at 6, or empty for never, got "${schedule}"`,
    );
  }
  const keep = text('REPORTS_KEEP', '30');
  if (!/^\d{1,5}$/.test(keep) || Number(keep) < 1) {
    mistakes.push(`REPORTS_KEEP must be an integer from 1 to 99999, got "${keep}"`);
  }
  return { schedule, path: text('REPORTS_PATH', 'instance/reports'), timeRange, timeZone, keep: Number(keep) };
}

/** Whether a cron expression can be read, and there is a time that it means: 30 February never comes. */
function comesToPass(schedule: string, timeZone: string): boolean {
  try {
    new CronTime(schedule, timeZone).sendAt();
    return true;
  } catch {
    return false;
  }
}
