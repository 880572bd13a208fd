import type { Config } from '../config/config.js';

/** The devices that the configuration has, as it is now. */
export class DevicesInUse {
  names: readonly string[];

  constructor(config: Config) {
    this.names = namesOf(config);
  }

  set(config: Config): void {
    this.names = namesOf(config);
  }
}

const namesOf = ({ deviceName, sources }: Config): string[] => [
  ...new Set([deviceName, ...sources.map((source) => source.deviceName)]),
];
