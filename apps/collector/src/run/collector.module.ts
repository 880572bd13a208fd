import { HttpModule, HttpService } from '@nestjs/axios';
import { Logger, Module, type DynamicModule } from '@nestjs/common';
import { ScheduleModule } from '@nestjs/schedule';
import type { AxiosInstance } from 'axios';
import { Collector } from './collector.js';
import { CONFIG, type Config } from '../config/config.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { SOURCE_TOOLS, type SourceTools } from './source.js';
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
    return {
      module: CollectorModule,
      imports: [ScheduleModule.forRoot(), HttpModule],
      providers: [
        Collector,
        MetricsEndpoint,
        { provide: CONFIG, useValue: config },
        { provide: SOURCE_TOOLS, inject: [HttpService], useFactory: sourceTools },
        { provide: Spool, useValue: spool },
        {
          provide: Uploader,
          inject: [HttpService],
          useFactory: (http: HttpService) => uploader(config, http.axiosRef, spool),
        },
      ],
    };
  }
}

function sourceTools({ axiosRef: http }: HttpService): SourceTools {
  const log = new Logger('Source');
  return { http, say: (message) => log.log(message) };
}

function uploader({ apiUrl, apiToken }: Config, http: AxiosInstance, spool: Spool): Uploader {
  const api = new ApiClient(http, apiUrl, apiToken, REQUEST_TIMEOUT);
  const options = { backlogPerSecond: BACKLOG_PER_SECOND, stopWithin: STOP_WITHIN };
  return new Uploader(spool, (payload, signal) => api.send(payload, signal), options, new Logger('Upload'));
}
