import { ApiProperty, ApiPropertyOptional, TEXTS } from './openapi.js';
import { Obeys, Optional } from './obeys.js';
import * as rules from './rules.js';

const now = (): number => Date.now();

const deviceName = {
  description: 'The device that is measured.',
  example: 'lab-pc-1',
  minLength: 1,
  maxLength: rules.MAX_DEVICE_NAME,
};
const metricName = {
  description: 'What is measured; OpenTelemetry names where they exist.',
  example: 'system.cpu.utilization',
  minLength: 1,
  maxLength: rules.MAX_METRIC_NAME,
};
const unit = { description: 'UCUM; default: of the metric catalogue.', example: '1', maxLength: rules.MAX_UNIT };
const labels = {
  description: 'Tells apart the series of one metric.',
  ...TEXTS,
  example: { 'cpu.logical_number': '0' },
} as const;
const timestamp = {
  description:
    'RFC 3339, or Unix milliseconds. From 2000-01-01 to 10 minutes ahead of the server; default: the time of receipt.',
  oneOf: [
    { type: 'string', format: 'date-time' },
    { type: 'integer', format: 'int64' },
  ],
  example: '2026-01-15T10:00:00Z',
};

class OfDevice {
  @ApiProperty(deviceName)
  @Obeys(rules.deviceName)
  device_name!: string;
}

class OfSeries extends OfDevice {
  @ApiProperty(metricName)
  @Obeys(rules.metricName)
  metric_name!: string;

  @ApiPropertyOptional(unit)
  @Optional()
  @Obeys(rules.unit)
  unit?: string;

  @ApiPropertyOptional(labels)
  @Optional()
  @Obeys(rules.labels)
  labels?: Record<string, string>;
}

/** One sample: one value of one metric of one device. */
export class MetricDto extends OfSeries {
  @ApiProperty({ description: 'A finite number.', example: 0.42 })
  @Obeys(rules.metricValue)
  value!: number;

  @ApiPropertyOptional(timestamp)
  @Optional()
  @Obeys(rules.timestampForm)
  timestamp?: string | number;
}

/** A run: many samples of one series. */
export class RunDto extends OfSeries {
  @ApiProperty({
    description: 'Pairs of time and value.',
    type: 'array',
    minItems: 1,
    items: {
      type: 'array',
      minItems: 2,
      maxItems: 2,
      items: { oneOf: [{ type: 'number' }, { type: 'string', format: 'date-time' }] },
    },
    example: [
      [1768471200000, 0.42],
      [1768471210000, 0.4],
    ],
  })
  @Obeys(rules.samples(now))
  samples!: [string | number, number][];
}

/** A reading of one device: the values of many metrics at one time. */
export class DeviceReadingDto extends OfDevice {
  @ApiPropertyOptional(timestamp)
  @Optional()
  @Obeys(rules.timestamp(now))
  timestamp?: string | number;

  @ApiProperty({
    description: 'Metric names and their values.',
    type: 'object',
    additionalProperties: { type: 'number' },
    example: { 'system.cpu.utilization': 0.42, 'system.uptime': 86400 },
  })
  @Obeys(rules.values)
  values!: Record<string, number>;
}
