import type { Labels, Reading } from '@device-metrics/domain';

/** What `smartctl --json --all` tells of a disk, as far as it is used here; a disk lacks what its kind has not. */
export interface SmartReport {
  readonly smartctl?: { readonly exit_status?: number; readonly messages?: readonly { readonly string: string }[] };
  readonly model_name?: string;
  readonly serial_number?: string;
  readonly smart_status?: { readonly passed?: boolean };
  /** °C. */
  readonly temperature?: { readonly current?: number };
  readonly ata_smart_attributes?: {
    readonly table?: readonly {
      readonly id: number;
      readonly name: string;
      readonly raw: { readonly value: number };
    }[];
  };
  readonly nvme_smart_health_information_log?: {
    /** Bits; see below. */
    readonly critical_warning?: number;
    /** Percent, of what was there at first. */
    readonly available_spare?: number;
    /** Percent; above 100 where it is used longer than its maker promises. */
    readonly percentage_used?: number;
    readonly media_errors?: number;
  };
  readonly endurance_used?: { readonly current_percent?: number };
  readonly scsi_percentage_used_endurance_indicator?: number;
  readonly scsi_grown_defect_list?: number;
}

export type DiskState = 'ok' | 'degraded' | 'predicted_failure' | 'failed';

/** Attributes of ATA disks that foretell a failure or count damage; others are for the maker. */
const TELLING = new Set([5, 10, 184, 187, 196, 197, 198, 199]);
const [PENDING, UNCORRECTABLE] = [197, 198];

/** Bits of the critical warning, of the NVMe specification. */
const TOO_HOT = 0x02;
const READ_ONLY = 0x08;

/** What the disk thinks of itself; undefined where it does not say. */
export function smartState(report: SmartReport): DiskState | undefined {
  const warning = report.nvme_smart_health_information_log?.critical_warning ?? 0;
  const damaged = (report.ata_smart_attributes?.table ?? []).some(
    ({ id, raw }) => (id === PENDING || id === UNCORRECTABLE) && raw.value > 0,
  );
  if (warning & READ_ONLY) return 'failed';
  if (warning & ~TOO_HOT) return 'predicted_failure';
  if (warning & TOO_HOT) return 'degraded';
  if (report.smart_status?.passed === undefined) return undefined;
  if (!report.smart_status.passed) return 'predicted_failure';
  return damaged ? 'degraded' : 'ok';
}

/** All but its state. */
export function smartReadings(labels: Labels, report: SmartReport): Reading[] {
  const { nvme_smart_health_information_log: nvme, temperature } = report;
  const attribute = (name: string, value: number | undefined): Reading[] =>
    isNumber(value)
      ? [
          {
            metricName: 'hw.physical_disk.smart',
            labels: { ...labels, 'hw.physical_disk.smart_attribute': name },
            value,
          },
        ]
      : [];
  const used =
    report.endurance_used?.current_percent ?? nvme?.percentage_used ?? report.scsi_percentage_used_endurance_indicator;
  return [
    ...(isNumber(used) ? [enduranceReading(labels, 1 - used / 100)] : []),
    ...(report.ata_smart_attributes?.table ?? [])
      .filter(({ id }) => TELLING.has(id))
      .flatMap(({ name, raw }) => attribute(name, raw.value)),
    ...attribute('Grown Defects', report.scsi_grown_defect_list),
    ...attribute('Media and Data Integrity Errors', nvme?.media_errors),
    ...attribute('Available Spare', isNumber(nvme?.available_spare) ? nvme.available_spare / 100 : undefined),
    // The kernel itself has the temperatures of NVMe disks among its sensors.
    ...(!nvme && isNumber(temperature?.current) && temperature.current > 0 && temperature.current < 200
      ? [{ metricName: 'hw.temperature', labels, value: temperature.current }]
      : []),
  ];
}

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** @param remaining of what the maker promises, from 0 to 1. */
export function enduranceReading(labels: Labels, remaining: number): Reading {
  return {
    metricName: 'hw.physical_disk.endurance_utilization',
    labels: { ...labels, 'hw.physical_disk.state': 'remaining' },
    value: Math.max(0, Math.min(1, remaining)),
  };
}
