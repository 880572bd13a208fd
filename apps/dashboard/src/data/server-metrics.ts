/** What `GET /metrics` says, in the text format of Prometheus. */
export interface ServerMetrics {
  /** Sum over all series of a metric; undefined where there is none. */
  sum(name: string): number | undefined;
  /** The series of a metric, each with its labels. */
  series(name: string): { readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

export function serverMetrics(text: string): ServerMetrics {
  const byName = new Map<string, { labels: Record<string, string>; value: number }[]>();
  for (const [, name = '', labels = '', value] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/gm)) {
    const series = byName.get(name) ?? [];
    byName.set(name, series);
    series.push({ labels: labelsOf(labels), value: Number(value) });
  }
  return {
    sum: (name) => byName.get(name)?.reduce((sum, { value }) => sum + value, 0),
    series: (name) => byName.get(name) ?? [],
  };
}

const labelsOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [
      name,
      value.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)),
    ]),
  );
