import { reasonOf, type Labels, type Reading } from '@device-metrics/domain';
import type { Parts } from '../run/source.js';
import { disksOf, type Disk } from './linux/disks.js';
import { patiently, patternsOf, type PcGroup } from './group.js';
import { readIfThere, readNumber, type Machine } from './machine.js';
import { enduranceReading, smartReadings, smartState, type DiskState, type SmartReport } from './linux/smart.js';

/** Disks that spin take some seconds to answer, ms. */
const SMARTCTL_PATIENCE = 4_000;

/** Whether disks wear out and fail: by the kernel, and by their own account (S.M.A.R.T.) where smartctl is there and may ask. */
export const diskHealth: PcGroup = {
  name: 'disk_health',
  metrics: ['hw.status', 'hw.physical_disk.endurance_utilization', 'hw.physical_disk.smart', 'hw.temperature'],
  slow: 600_000,
  configure: (keys) => {
    const isExcluded = patternsOf(keys, 'exclude', ['loop*', 'ram*', 'zram*', 'fd*', 'sr*']);
    return (machine, say) => {
      let said = false;
      const sayOnce = (message: string): void => {
        if (!said) say(message);
        said = true;
      };
      return async (signal, parts) => {
        if (machine.platform !== 'linux') return [];
        const disks = (await disksOf(machine, isExcluded)).filter(({ isStacked }) => !isStacked);
        const reports = await smartReports(machine, disks, sayOnce, signal, parts);
        return (await Promise.all(disks.map((disk) => readDisk(machine, disk, reports.get(disk))))).flat();
      };
    };
  },
};

async function readDisk(machine: Machine, disk: Disk, report: SmartReport | undefined): Promise<Reading[]> {
  const id = disk.id ?? report?.serial_number ?? disk.name;
  const model = report?.model_name ?? (await readIfThere(machine, `${disk.folder}/device/model`));
  const labels = { 'hw.id': id, 'hw.name': model ?? disk.name };
  const emmc = await readEmmc(machine, disk, labels);
  const states = [await kernelState(machine, disk), emmc.state, report && smartState(report)];
  const state = WORST_FIRST.find((one) => states.includes(one));
  return [
    ...(state === undefined ? [] : stateReadings(labels, state)),
    ...emmc.readings,
    ...(report ? smartReadings(labels, report) : []),
  ];
}

const WORST_FIRST: readonly DiskState[] = ['failed', 'predicted_failure', 'degraded', 'ok'];

const stateReadings = (labels: Labels, now: DiskState): Reading[] =>
  WORST_FIRST.toReversed().map((state) => {
    const all = { ...labels, 'hw.type': 'physical_disk', 'hw.state': state };
    return { metricName: 'hw.status', labels: all, value: state === now ? 1 : 0 };
  });

/** Whether the kernel has given the disk up; undefined where it keeps no state. */
async function kernelState(machine: Machine, { folder }: Disk): Promise<DiskState | undefined> {
  const state = await readIfThere(machine, `${folder}/device/state`);
  if (state === undefined) return undefined;
  return ['offline', 'transport-offline', 'dead'].includes(state) ? 'failed' : 'ok';
}

/** The wear of eMMC, in tenths, of its two kinds of memory; and of its spare blocks. See JEDEC's eMMC 5.0, EXT_CSD 267 to 269. */
async function readEmmc(
  machine: Machine,
  { folder }: Disk,
  labels: Labels,
): Promise<{ state?: DiskState; readings: Reading[] }> {
  const life = (await readIfThere(machine, `${folder}/device/life_time`))?.split(' ').map(Number) ?? [];
  const worn = Math.max(0, ...life.filter((tenths) => tenths >= 0 && tenths <= 11));
  const spare = await readNumber(machine, `${folder}/device/pre_eol_info`);
  const state = ([undefined, 'ok', 'degraded', 'predicted_failure'] as const)[spare ?? 0];
  return { ...(state && { state }), readings: worn > 0 ? [enduranceReading(labels, 1 - worn / 10)] : [] };
}

/** What smartctl tells, by disk; none where it is not installed. It wakes no disk that sleeps. */
async function smartReports(
  machine: Machine,
  disks: readonly Disk[],
  say: (message: string) => void,
  signal: AbortSignal,
  parts: Parts,
): Promise<Map<Disk, SmartReport>> {
  const reports = new Map<Disk, SmartReport>();
  const asked = disks.map(async (disk) => {
    const device = `/dev/${disk.kernelName}`;
    const args = ['--json', '--all', '--nocheck=standby', device];
    try {
      // A disk that fails is the one that keeps smartctl waiting.
      const report = await patiently(signal, (patience) => smartctl(machine, args, patience), SMARTCTL_PATIENCE);
      if (!report) return;
      const problem = report.smartctl?.messages?.map(({ string }) => string).join('; ') ?? '';
      if (/permission denied|operation not permitted/i.test(problem)) {
        say(`disk_health: smartctl may not open ${device}: ${problem}; docs/pc.md says how to let it`);
        return;
      }
      // A device that is no disk of its own, as in a virtual machine, and one that sleeps have nothing to tell.
      if (report.smart_status ?? report.nvme_smart_health_information_log ?? report.ata_smart_attributes) {
        reports.set(disk, report);
      }
    } catch (error) {
      parts.reject(device, reasonOf(error));
    }
  });
  await Promise.all(asked);
  return reports;
}

/** Undefined where it is not installed. Its exit code tells of the disk, not only of itself: the answer is there nevertheless. */
async function smartctl(machine: Machine, args: string[], signal: AbortSignal): Promise<SmartReport | undefined> {
  const output = await machine.run('smartctl', args, signal).catch((error: { code?: unknown; stdout?: unknown }) => {
    if (error.code === 'ENOENT') return undefined;
    if (typeof error.stdout === 'string' && error.stdout.startsWith('{')) return error.stdout;
    throw error;
  });
  return output === undefined ? undefined : (JSON.parse(output) as SmartReport);
}
