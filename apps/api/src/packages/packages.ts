import { reasonOf } from '@device-metrics/domain';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { resolve } from 'node:path';
import { Problem } from '../http/problem.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { makeOwnPackage, PackageFolder, type CollectorPackage } from './own-package.js';

/** The packages of the collector that this api has for PCs: those in the folder of the settings, and its own. */
@Injectable()
export class Packages implements OnApplicationBootstrap {
  private readonly folder: PackageFolder;
  private making: Promise<void> | undefined;

  constructor(@Inject(apiConfig.KEY) private readonly config: ApiConfig) {
    this.folder = new PackageFolder(resolve(config.operation.packagesPath));
  }

  /** It takes some seconds, in which the api answers already. */
  onApplicationBootstrap(): void {
    this.making = makeOwnPackage(resolve(this.config.operation.packagesPath))
      .then(() => undefined)
      .catch((error: unknown) => {
        new Logger('packages').warn(`The package of the collector cannot be made: ${reasonOf(error)}`);
      })
      .finally(() => (this.making = undefined));
  }

  /** Waits for the one that is being made. */
  async list(): Promise<CollectorPackage[]> {
    await this.making;
    return this.folder.list();
  }

  /** @throws Problem where there is none of this name. */
  async find(name: string): Promise<CollectorPackage> {
    await this.making;
    const found = await this.folder.find(name);
    if (!found) throw new Problem('no-package', `There is no package ${JSON.stringify(name)}.`);
    return found;
  }
}
