import type { Labels } from '@device-metrics/domain';

/** Labels that all have with the same value. */
export function commonLabels(some: readonly { readonly labels: Labels }[]): Labels {
  const [first, ...others] = some;
  return Object.fromEntries(
    Object.entries(first?.labels ?? {}).filter(([name, value]) => others.every(({ labels }) => labels[name] === value)),
  );
}
