/** A metric name of what others call things: what no name of ours may have becomes `_`. */
export function toMetricName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.:/-]/gu, '_').replace(/^[^A-Za-z_]/, '_$&');
}
