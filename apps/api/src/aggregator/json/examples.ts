/** Bodies that a reader of the documentation can send as they stand; without a timestamp the time of receipt counts. */

const cpu = {
  device_name: 'lab-pc-1',
  metric_name: 'system.cpu.utilization',
  value: 0.42,
  unit: '1',
  labels: { 'cpu.logical_number': '0' },
};

export const metricExamples = { metric: { summary: 'A metric', value: cpu } };

/** Recent, since samples that are older than the raw retention are refused. */
const start = Date.now() - 60_000;

export const batchExamples = {
  metrics: {
    summary: 'Metrics',
    value: { metrics: [cpu, { device_name: 'rack-ups', metric_name: 'hw.temperature', value: 31.5, unit: 'Cel' }] },
  },
  run: {
    summary: 'A run: many samples of one series',
    value: {
      metrics: [
        {
          device_name: 'lab-pc-1',
          metric_name: 'hw.temperature',
          unit: 'Cel',
          samples: [
            [start, 48.5],
            [start + 10_000, 48.7],
          ],
        },
      ],
    },
  },
  reading: {
    summary: 'A reading of one device: many metrics at one time',
    value: {
      metrics: [{ device_name: 'lab-pc-1', values: { 'system.cpu.utilization': 0.42, 'system.uptime': 86400 } }],
    },
  },
};
