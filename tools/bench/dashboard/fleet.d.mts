export class FleetDevice {
  constructor(index: number);
  readonly name: string;
  readonly displayName: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readings(time: number): [metric: string, labels: Record<string, string>, value: number][];
}
export function sendFleet(
  url: string,
  options: { devices: readonly FleetDevice[]; start: number; end: number; interval: number },
): Promise<void>;
export function describeFleet(url: string, devices: readonly FleetDevice[]): Promise<void>;
