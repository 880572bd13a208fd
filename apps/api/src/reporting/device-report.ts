import { toRfc3339 } from '@device-metrics/contract';
import type { Series, TimeRange } from '@device-metrics/domain';
import type { SeriesSamples } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** The samples of one series; also a valid item of a batch. */
export class SeriesReportDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', example: '1' })
  unit?: string;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { cpu: '0' } })
  labels!: Record<string, string>;

  @ApiProperty({
    description: 'Pairs of time (RFC 3339, UTC) and value, oldest first.',
    type: 'array',
    items: { type: 'array', items: { oneOf: [{ type: 'string', format: 'date-time' }, { type: 'number' }] } },
    example: [
      ['2026-01-15T10:00:00.000Z', 0.42],
      ['2026-01-15T10:00:10.000Z', 0.4],
    ],
  })
  samples!: [string, number][];
}

export class DeviceReportDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ description: 'Included.', example: '2026-01-15T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included.', example: '2026-01-16T00:00:00.000Z' })
  end_time!: string;

  @ApiProperty({
    description: 'By metric and labels; a series without samples in the range is left out.',
    type: [SeriesReportDto],
  })
  series!: SeriesReportDto[];
}

/** How many samples one piece of the answer carries: small enough to let other requests through between two. */
const SLICE = 2_000;

/** The text of a `DeviceReportDto`, piece by piece, so that memory stays flat however long the report is. */
export async function* deviceReportJson(
  deviceName: string,
  range: TimeRange,
  seriesSamples: AsyncIterable<SeriesSamples>,
): AsyncGenerator<string> {
  const head = { device_name: deviceName, start_time: toRfc3339(range.start), end_time: toRfc3339(range.end) };
  yield `${JSON.stringify(head).slice(0, -1)},"series":[`;
  let separator = '';
  for await (const { series, timestamps, values } of seriesSamples) {
    yield `${separator}${JSON.stringify(seriesHead(series)).slice(0, -1)},"samples":[`;
    separator = ',';
    for (let from = 0; from < timestamps.length; from += SLICE) {
      const to = Math.min(from + SLICE, timestamps.length);
      let text = '';
      for (let index = from; index < to; index += 1) {
        const comma = index === 0 ? '' : ',';
        text += `${comma}["${toRfc3339(timestamps[index] as number)}",${jsonNumber(values[index] as number)}]`;
      }
      yield text;
    }
    yield ']}';
  }
  yield ']}';
}

const seriesHead = ({ deviceName, metricName, unit, labels }: Series): Omit<SeriesReportDto, 'samples'> => ({
  device_name: deviceName,
  metric_name: metricName,
  ...(unit !== null && { unit }),
  labels,
});

/** A finite double as JSON that reads back as the same bits; JSON.stringify would turn -0 into 0. */
const jsonNumber = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));
