/**
 * Device and slot of each series, by series id: a journal row that is read again names hundreds of thousands of series by their ids, and
 * their entries lie about in memory.
 */
export class SeriesSlots {
  /** 0: there is no such series. */
  private devices = new Uint32Array(1024);
  private slots = new Uint32Array(1024);

  add({
    id,
    slot,
    device,
  }: {
    readonly id: number;
    readonly slot: number;
    readonly device: { readonly id: number };
  }): void {
    if (id >= this.devices.length) this.grow(Math.max(id + 1, this.devices.length * 2));
    this.devices[id] = device.id;
    this.slots[id] = slot;
  }

  drop(seriesId: number): void {
    this.devices[seriesId] = 0;
  }

  /** The id of the device of a series; 0 where there is no such series. */
  deviceOf(seriesId: number): number {
    return seriesId < this.devices.length ? this.devices[seriesId] : 0;
  }

  slotOf(seriesId: number): number {
    return this.slots[seriesId];
  }

  private grow(capacity: number): void {
    const [devices, slots] = [new Uint32Array(capacity), new Uint32Array(capacity)];
    devices.set(this.devices);
    slots.set(this.slots);
    this.devices = devices;
    this.slots = slots;
  }
}
