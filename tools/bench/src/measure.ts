/** CPU of all threads of this process so far, seconds. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What `act` took, by CPU and by the clock, seconds. */
export async function timed(act: () => unknown): Promise<{ cpu: number; wall: number }> {
  const cpu = cpuSeconds();
  const wall = performance.now();
  await act();
  return { cpu: cpuSeconds() - cpu, wall: (performance.now() - wall) / 1000 };
}

/** The median time of several runs by the clock, ms; those before count for nothing, since code has to get warm. */
export async function medianMs(act: () => unknown, runs = 25, warmUp = 10): Promise<number> {
  const times: number[] = [];
  for (let run = 0; run < warmUp; run += 1) await act();
  for (let run = 0; run < runs; run += 1) times.push((await timed(act)).wall * 1000);
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)];
}
