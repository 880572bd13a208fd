import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState, useSyncExternalStore } from 'react';
import { listen, read, serverNow } from '../api.js';
import { Fleet, FIGURE_METRICS, FIGURES, type FleetDevice, type FleetSample } from './fleet.js';
import { SparkLoader } from './spark-loader.js';

/** How often the devices are asked for anew, and sorted anew by what has changed, ms. */
const DEVICES_EVERY = 30_000;
/** The same while there is none yet, one has sent that is not known, or samples were missed, ms. */
const STRANGERS_EVERY = 3_000;
const SORT_EVERY = 10_000;
/** How often changed rows are drawn, ms. */
const DRAW_EVERY = 1_000;

/** The fleet, and who loads its spark lines, for the rows of the table. */
export const FleetContext = createContext<{ fleet: Fleet; sparks: SparkLoader } | undefined>(undefined);

/** Loads all devices with their figures and keeps them up while the page is there. */
export function useFleet(): {
  fleet: Fleet;
  sparks: SparkLoader;
  devices: readonly FleetDevice[];
  isLoading: boolean;
  /** Whether the figures have come: rows can be put in their order. */
  hasFigures: boolean;
  error: Error | null;
  retry: () => void;
} {
  const [{ fleet, sparks }] = useState(() => {
    const made = new Fleet();
    return { fleet: made, sparks: new SparkLoader(made) };
  });
  const devices = useQuery({
    queryKey: DEVICES,
    queryFn: ({ signal }) => read('/api/v1/devices', {}, { signal }),
    refetchInterval: ({ state }) => (state.data?.devices.length === 0 ? STRANGERS_EVERY : DEVICES_EVERY),
  });
  const known = devices.data !== undefined;
  const latest = useQuery({
    queryKey: LATEST,
    queryFn: ({ signal }) => loadFigures(signal),
    // The list first: together they would take turns, and of thousands it would come last.
    enabled: known,
    // Afterwards the live stream tells.
    staleTime: Infinity,
    gcTime: 0,
  });

  useEffect(() => {
    if (!devices.data) return;
    fleet.setDevices(devices.data.devices, serverNow());
  }, [fleet, devices.data]);
  useEffect(() => {
    // Figures of devices that are not known are not kept.
    if (!known || !latest.data) return;
    fleet.take(latest.data);
    fleet.flush(serverNow());
    fleet.publishList();
  }, [fleet, known, latest.data]);

  const client = useQueryClient();
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const loadLatest = (): void => void client.invalidateQueries({ queryKey: LATEST });
    const meetStrangers = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        void client.invalidateQueries({ queryKey: DEVICES }).then(loadLatest);
      }, STRANGERS_EVERY);
    };
    let gapTimer: ReturnType<typeof setTimeout> | undefined;
    // A burst of samples may leave many gaps.
    const closeGap = (): void => {
      gapTimer ??= setTimeout(() => {
        gapTimer = undefined;
        loadLatest();
      }, STRANGERS_EVERY);
    };
    const stop = listen(
      { metric_name: figureMetrics },
      (samples) => {
        if (fleet.take(samples)) meetStrangers();
      },
      closeGap,
    );
    const draw = setInterval(() => fleet.flush(serverNow()), DRAW_EVERY);
    const sort = setInterval(() => fleet.publishList(), SORT_EVERY);
    return () => {
      stop();
      clearTimeout(timer);
      clearTimeout(gapTimer);
      clearInterval(draw);
      clearInterval(sort);
      sparks.stop();
    };
  }, [client, fleet, sparks]);

  return {
    fleet,
    sparks,
    devices: useSyncExternalStore(fleet.subscribeToList, fleet.getList),
    isLoading: devices.isPending,
    hasFigures: !latest.isPending,
    error: devices.data ? null : devices.error,
    retry: () => void devices.refetch(),
  };
}

const DEVICES = ['devices'];
const LATEST = ['latest', 'figures'];
const figureMetrics = FIGURES.map((figure) => FIGURE_METRICS[figure]);

/** The newest figures, without what none of them is about: each processor by itself, memory that is free. */
async function loadFigures(signal: AbortSignal): Promise<readonly FleetSample[]> {
  const { cpu, memory, disk, temperature } = FIGURE_METRICS;
  const answers = await Promise.all(
    [
      { metric_name: [cpu], label: ['cpu.logical_number='] },
      { metric_name: [memory], label: ['system.memory.state=used'] },
      { metric_name: [memory], label: ['system.memory.state='] },
      { metric_name: [disk, temperature] },
    ].map((query) => read('/api/v1/reports/latest', query, { signal })),
  );
  return answers.flatMap(({ samples }) => samples);
}

/** One device of the fleet, renewed when it changes; asks for its spark lines. */
export function useFleetDevice(name: string): FleetDevice | undefined {
  const context = useContext(FleetContext);
  if (!context) throw new Error('outside of a FleetContext');
  const { fleet, sparks } = context;
  useEffect(() => sparks.want(name), [sparks, name]);
  return useSyncExternalStore(
    (listener) => fleet.subscribeTo(name, listener),
    () => fleet.get(name),
  );
}
