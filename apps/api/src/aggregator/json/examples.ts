/** Bodies that a reader of the documentation can send as they stand; without a timestamp the time of receipt counts. */
export const batchExamples = {
  metrics: {
    summary: 'Metrics',
    value: {
      metrics: [
        {
          device_name: 'lab-pc-1',
          metric_name: 'system.cpu.utilization',
          value: 0.42,
          unit: '1',
          labels: { cpu: '0' },
        },
        { device_name: 'rack-ups', metric_name: 'hw.temperature', value: 31.5, unit: 'Cel' },
      ],
    },
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
            ['2026-01-15T10:00:00Z', 48.5],
            ['2026-01-15T10:00:10Z', 48.7],
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
