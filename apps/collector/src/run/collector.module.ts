import { HttpModule, HttpService } from '@nestjs/axios';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { AxiosInstance } from 'axios';
import { Collector } from './collector.js';
import { DevicesInUse } from './devices-in-use.js';
import { CONFIG, type Config } from '../config/config.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { SOURCE_TOOLS, type SourceTools } from './source.js';
import { readApiAgain } from '../config/api.js';
import { Announcer } from '../upload/announce.js';
import { ApiConnection } from '../upload/api-connection.js';
import { ApiClient } from '../upload/api-client.js';
import { Spool } from '../upload/spool.js';
import { Uploader } from '../upload/uploader.js';

const REQUEST_TIMEOUT = 30_000;
const STOP_WITHIN = 5_000;
const BACKLOG_PER_SECOND = 20;

/** The collector of one configuration. */
@Module({})
export class CollectorModule {
  static of(config: Config, spool: Spool): DynamicModule {
    const devices = new DevicesInUse(config);
    return {
      module: CollectorModule,
      imports: [ScheduleModule.forRoot(), HttpModule],
      providers: [
        Collector,
        MetricsEndpoint,
        { provide: CONFIG, useValue: config },
        { provide: SOURCE_TOOLS, inject: [HttpService], useFactory: sourceTools },
        { provide: Spool, useValue: spool },
        { provide: DevicesInUse, useValue: devices },
        {
          provide: Uploader,
          inject: [HttpService],
          useFactory: (http: HttpService) => uploader(config, http.axiosRef, spool, devices),
        },
      ],
    };
  }
}

function sourceTools({ axiosRef: http }: HttpService): SourceTools {
  const log = new Logger('Source');
  return { http, say: (message) => log.log(message) };
}

function uploader({ api }: Config, http: AxiosInstance, spool: Spool, devices: DevicesInUse): Uploader {
  const log = new Logger('Upload');
  const connection = new ApiConnection(http, api, REQUEST_TIMEOUT, (message) => log.warn(message));
  const announcer = new Announcer(connection, () => devices.names, log);
  const client = new ApiClient(connection, readApiAgain, (signal) => announcer.announce(signal));
  const options = { backlogPerSecond: BACKLOG_PER_SECOND, stopWithin: STOP_WITHIN };
  return new Uploader(spool, (payload, signal) => client.send(payload, signal), options, log);
}
