import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** How far V8's heap may grow beyond what is in use before it is cleared, %. By itself V8 lets that of a large fleet double. */
const GROWTH = 30;
/**
 * But at least by so much, bytes. What requests bring counts as growth too, and of that V8 lets 32 MiB lie before it clears what is
 * young: a small heap with less room would be gone through each time, which took a quarter of all that samples cost.
 */
const LEAST_GROWTH = 48 * 2 ** 20;
/** How often it is set to what is in use, ms: a fleet that connects fills hundreds of megabytes within seconds. */
const EVERY = 1_000;

/** From now on bounds how far V8's heap grows. */
export function boundHeapGrowth(): void {
  const bound = (): void => {
    setFlagsFromString(`--heap-growing-percent=${growthOf(getHeapStatistics().used_heap_size)}`);
  };
  bound();
  setInterval(bound, EVERY).unref();
}

/** @param used bytes that are in use. @returns %. */
export const growthOf = (used: number): number => Math.max(GROWTH, Math.ceil((LEAST_GROWTH / used) * 100));
