const START = Date.UTC(2026, 0, 15);
const DEVICES = 4;
const METRICS = 25;
export const SERIES = DEVICES * METRICS;

/** Between two samples of a series, ms. */
export const TIME_STEP = 10_000;

/** The sample with a number: all series in turn, then the next time. No two are alike. */
export function sampleAt(number) {
  const series = number % SERIES;
  return {
    deviceName: `pc-${Math.floor(series / METRICS)}`,
    metricName: `m.${series % METRICS}`,
    unit: undefined,
    labels: {},
    timestamp: START + ((number - series) / SERIES) * TIME_STEP,
    value: number / 4,
  };
}

/** The same for one device that sends a million samples in one hour. */
export function sampleInOneHour(number) {
  const series = number % SERIES;
  return {
    ...sampleAt(number),
    deviceName: 'busy-pc',
    metricName: `m.${series}`,
    timestamp: START + ((number - series) / SERIES) * 300,
  };
}
