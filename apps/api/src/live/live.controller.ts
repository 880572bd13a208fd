import { Controller, Get, Headers, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@device-metrics/contract/openapi';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LastingAccesses } from '../access/lasting-access.js';
import { Needs } from '../access/needs.js';
import { ApiProblems } from '../http/openapi.js';
import { SeriesQuery } from '../http/series-query.dto.js';
import { LiveStreams } from './live-streams.js';

@ApiTags('reporting')
@Controller('api/v1/live')
export class LiveController {
  constructor(
    private readonly streams: LiveStreams,
    private readonly lasting: LastingAccesses,
  ) {}

  @Get()
  @Needs('reports:read')
  @ApiOperation({
    summary: 'Live: new samples as server-sent events',
    description:
      'An event `samples` carries an array of metrics, each as `POST …/metrics/` takes it. A client that comes back with ' +
      '`Last-Event-ID` gets what it missed, or an event `gap` where that is too long ago; so does a reader that is slower ' +
      'than the samples come. One that reads nothing for 30 s is cut off. Every 15 s a comment shows that the stream lives.',
  })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: '`id` of the last event that the client got.' })
  @ApiOkResponse({
    content: {
      'text/event-stream': {
        schema: { type: 'string' },
        example:
          'id: 5f0c2d1a-17\nevent: samples\ndata: [{"device_name":"lab-pc-1","metric_name":"system.cpu.utilization",' +
          '"value":0.42,"unit":"1","labels":{},"timestamp":"2026-01-15T10:00:00.000Z"}]\n\n',
      },
    },
  })
  @ApiProblems({
    400: 'label must be name=value, got "cpu"',
    'too-many-streams': 'There are 100 live streams, as many as may be at a time.',
  })
  async live(
    @Query() query: SeriesQuery,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const access = await this.lasting.watch(request, 'reports:read', () => reply.raw.destroy());
    try {
      // Only now: others may have come, and this one may have gone, since it asked.
      this.streams.assertRoom();
    } catch (problem) {
      access.stop();
      throw problem;
    }
    reply.hijack();
    this.streams.open(reply.raw, query, lastEventId, access);
  }
}
