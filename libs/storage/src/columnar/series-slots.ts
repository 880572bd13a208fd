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

  /**
   * Finds the slots of series, which there must be room for.
   *
   * @param visitRun gets the series that follow each other in one device, from one position to before another; device 0 has
   *   those that are not there.
   */
  place(ids: Float64Array, slots: Uint32Array, visitRun: (deviceId: number, from: number, to: number) => void): void {
    const { devices, slots: known } = this;
    let [from, device] = [0, -1];
    for (let at = 0; at < ids.length; at += 1) {
      const id = ids[at];
      const its = id < devices.length ? devices[id] : 0;
      if (its !== device) {
        if (at > 0) visitRun(device, from, at);
        [from, device] = [at, its];
      }
      if (its !== 0) slots[at] = known[id];
    }
    if (ids.length > 0) visitRun(device, from, ids.length);
  }

  private grow(capacity: number): void {
    const [devices, slots] = [new Uint32Array(capacity), new Uint32Array(capacity)];
    devices.set(this.devices);
    slots.set(this.slots);
    this.devices = devices;
    this.slots = slots;
  }
}
