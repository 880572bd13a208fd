import { NamedSeries, NO_LABELS, SeriesGroup } from '@device-metrics/domain';
import { BodyKeys, ByteMap, KeptBytes } from '@device-metrics/formats';
import { COLON } from './json-cursor.js';

/** Metrics of a device that are gone through one by one: a map of their own takes more memory than all else of them. */
const FEW_METRICS = 64;
/** Readings are numbered up to here, and then anew: as small integers. */
const MOST_READINGS = 0x3fff_ffff;

/** The name of a metric in quotes and with a colon, and without. */
class MetricName extends KeptBytes {
  constructor(body: Buffer, start: number, end: number) {
    const bytes = new Uint8Array(end - start + 3);
    bytes.set(body.subarray(start - 1, end + 1));
    bytes[bytes.length - 1] = COLON;
    super(bytes);
    this.text = body.toString('utf8', start, end);
  }

  readonly text: string;

  /** Whether bytes are those of it, without its quotes and its colon; from behind, where names differ. */
  isOf(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.length !== end - start + 3) return false;
    for (let at = end - 1; at >= start; at -= 1) if (bytes[at] !== this.bytes[at - start + 1]) return false;
    return true;
  }
}

/** A device whose readings come, and its metrics in the order in which they were first sent. */
export class ReadDevice {
  names: MetricName[] = [];
  /** Whether other devices have the same list. */
  sharesNames = false;
  /** All that are known now, in their order; undefined until it is asked for. */
  all: SeriesGroup | undefined;
  private named: NamedSeries[] | undefined = [];
  private byName: ByteMap<number> | undefined;

  constructor(readonly name: string) {}

  /** Made anew where a group had them, of a device whose readings are not all as usual. */
  get series(): NamedSeries[] {
    return (this.named ??= allNamedSeriesOf(this.name, this.names));
  }

  /** A group of all of them, which has them from now on. Nothing else changes the names any more. */
  makeGroup(): SeriesGroup {
    const { name, names, series } = this;
    this.named = undefined;
    this.sharesNames = true;
    return (this.all = new SeriesGroup(series, () => allNamedSeriesOf(name, names)));
  }

  /** The place of a metric by its name; undefined while it is not known. */
  find(bytes: Uint8Array, start: number, end: number): number | undefined {
    const { names } = this;
    if (names.length <= FEW_METRICS) {
      for (let place = 0; place < names.length; place += 1) if (names[place]?.isOf(bytes, start, end)) return place;
      return undefined;
    }
    if (!this.byName) {
      this.byName = new ByteMap(Infinity);
      for (const [place, name] of names.entries()) this.setPlace(name, place);
    }
    return this.byName.get(bytes, start, end);
  }

  /** Takes in a metric, and gives its place. */
  add(name: MetricName): number {
    this.setPlace(name, this.names.length);
    this.all = undefined;
    this.series.push(namedSeriesOf(this.name, name));
    if (this.sharesNames) this.names = [...this.names];
    this.sharesNames = false;
    return this.names.push(name) - 1;
  }

  private setPlace({ bytes, length }: KeptBytes, place: number): void {
    this.byName?.set(bytes, 1, length - 2, place);
  }
}

/** The series that bodies have named so far, found by the bytes of their names. Of at most `mostSeries`; beyond that it starts again. */
export class KnownSeries {
  private readonly devices: ByteMap<ReadDevice>;
  /** Series of metrics and runs, by all the bytes that name them. */
  private readonly singles: ByteMap<NamedSeries>;
  /** Names of metrics, which many devices share. */
  private readonly names: ByteMap<MetricName>;
  /** Lists of names by their length: devices that send the same have one, which then is at hand for each of them. */
  private readonly lists = new Map<number, MetricName[]>();
  /** How many names it has taken in since it began. */
  made = 0;
  /** The reading that had the metric in each place last, of those that were not as usual. */
  readonly seenIn: number[] = [];
  private count = 0;
  private reading = 0;

  constructor(private readonly mostSeries: number) {
    this.devices = new ByteMap(mostSeries);
    this.singles = new ByteMap(mostSeries, mostSeries * 256);
    this.names = new ByteMap(mostSeries);
  }

  /** Another number than that of the readings before. */
  nextReading(): number {
    return (this.reading = (this.reading + 1) & MOST_READINGS);
  }

  deviceAt(body: Buffer, start: number, end: number): ReadDevice {
    const known = this.devices.get(body, start, end);
    if (known) return known;
    this.addOne();
    const device = new ReadDevice(body.toString('utf8', start, end));
    this.devices.set(body, start, end, device);
    return device;
  }

  addMetric(device: ReadDevice, body: Buffer, start: number, end: number): number {
    this.addOne();
    let name = this.names.get(body, start, end);
    if (!name) {
      name = new MetricName(body, start, end);
      this.names.set(body, start, end, name);
    }
    const place = device.add(name);
    while (this.seenIn.length <= place) this.seenIn.push(0);
    return place;
  }

  /** All that is known of a device, in its order. */
  groupOf(device: ReadDevice): SeriesGroup {
    if (device.all) return device.all;
    const { names } = device;
    const list = this.lists.get(names.length);
    if (list?.every((name, place) => name === names[place])) device.names = list;
    else this.lists.set(names.length, names);
    return device.makeGroup();
  }

  /** Series of metrics and runs, by all the bytes that name them, as a body finds them. */
  singlesOfBody(): BodyKeys<NamedSeries> {
    return new BodyKeys(this.singles);
  }

  /** Takes in what a body was the first to name and a store has found, in slices. */
  async keep(singles: BodyKeys<NamedSeries>): Promise<void> {
    await singles.keep(({ isStored }) => isStored && this.addOne());
  }

  private addOne(): true {
    this.count += 1;
    this.made += 1;
    if (this.count <= this.mostSeries) return true;
    this.devices.clear();
    this.singles.clear();
    this.names.clear();
    this.lists.clear();
    this.count = 1;
    return true;
  }
}

const allNamedSeriesOf = (deviceName: string, names: readonly MetricName[]): NamedSeries[] =>
  names.map((name) => namedSeriesOf(deviceName, name));

const namedSeriesOf = (deviceName: string, { text }: MetricName): NamedSeries =>
  NamedSeries.of({ deviceName, metricName: text, unit: undefined, labels: NO_LABELS });
