import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import { labelsKey, toRfc3339 } from '@device-metrics/domain';
import { Needs } from '../access/needs.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { markup } from '../reporting/print/markup.js';
import { Alerts } from './alerts.js';
import { alertDto } from './answers.js';
import type { AlertState } from './evaluation/alert-state.js';
import type { Document } from './registry.js';
import type { LinkGrant } from './telling/links.js';

const SILENCE = 4 * 3_600_000;
const MOST_LISTED = 100;
const TOKEN = { name: 'token', example: 'WyJhY2tub3dsZWRnZSIs….kVn0' };
const HTML = { content: { 'text/html': { schema: { type: 'string' as const }, example: '<!doctype html>…' } } };
const EXPIRED = { 'link-expired': 'This link has expired, or was not made here.' };

/**
 * The links of messages: who has the message may acknowledge or silence what it tells of. A GET only asks, since programs
 * that check mail open every link.
 */
@ApiTags('alerts')
@Controller('api/v1/alerts/act')
export class AlertLinksController {
  constructor(@Inject(Alerts) private readonly alerts: Alerts) {}

  @Get(':token')
  @Needs('open')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('referrer-policy', 'same-origin')
  @ApiOperation({ summary: 'The page behind a link of a message, which asks whether to do it' })
  @ApiParam(TOKEN)
  @ApiOkResponse(HTML)
  @ApiProblems({ ...NO_PARAMETERS, ...EXPIRED })
  async ask(@Param('token') token: string, @Query() _query: NoQuery): Promise<string> {
    const { action, message } = this.grantOf(token);
    const alerts = await this.alerts.openOf(message);
    if (alerts.length === 0) return page(...OVER);
    const what = action === 'acknowledge' ? 'Acknowledge' : 'Silence for 4 hours';
    const list = alerts.slice(0, MOST_LISTED).map((state) => {
      const { rule, summary } = alertDto(state, this.alerts.rules.get(state.rule)?.value);
      return markup`<li>${rule} – ${summary}</li>`;
    });
    const more = alerts.length > MOST_LISTED ? markup`<li>and ${alerts.length - MOST_LISTED} more</li>` : markup``;
    return page(
      what,
      markup`<ul>${list}${more}</ul><form method="post" action="/api/v1/alerts/act/${token}"><button>${what}</button></form>`,
    );
  }

  @Post(':token')
  @HttpCode(200)
  @Needs('open')
  @Header('content-type', 'text/html; charset=utf-8')
  @ApiOperation({ summary: 'Does what a link of a message says' })
  @ApiParam(TOKEN)
  @ApiBody({ required: false, schema: { type: 'object', example: {} } })
  @ApiOkResponse(HTML)
  @ApiProblems({ ...NO_PARAMETERS, ...EXPIRED })
  async act(@Param('token') token: string, @Body() _body: unknown, @Query() _query: NoQuery): Promise<string> {
    const { action, message } = this.grantOf(token);
    const alerts = await this.alerts.openOf(message);
    if (alerts.length === 0) return page(...OVER);
    if (action === 'acknowledge') {
      // Who has said so with a comment is not forgotten for a link that is used again.
      const fresh = alerts.flatMap(({ episode }) => (episode && !episode.acknowledged ? [episode.id] : []));
      await this.alerts.acknowledge(new Set(fresh), 'a link of a message', '');
      return page('Acknowledged', markup`<p>It is not said again.</p>`);
    }
    const now = Date.now();
    await this.alerts.silences.put(silencesOf(alerts, toRfc3339(now + SILENCE)), now);
    return page('Silenced', markup`<p>Nobody is told of it for 4 hours.</p>`);
  }

  private grantOf(token: string): LinkGrant {
    const grant = this.alerts.signer.read(token, Date.now());
    if (!grant) throw new Problem('link-expired', 'This link has expired, or was not made here.');
    return grant;
  }
}

/** One for all devices of which the same is told. */
function silencesOf(alerts: readonly AlertState[], until: string): Document[] {
  const groups = new Map<string, { readonly first: AlertState; readonly devices: string[] }>();
  for (const alert of alerts) {
    const { metric = '', labels = {}, device } = alert.subject;
    const key = JSON.stringify([alert.rule, metric, labelsKey(labels), device === '']);
    const group = groups.get(key) ?? { first: alert, devices: [] };
    if (device !== '') group.devices.push(device);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ first: { rule, subject, episode }, devices }) => {
    const label = Object.entries(subject.labels ?? {}).map(([name, value]) => `${name}=${value}`);
    return {
      name: `link ${episode?.id ?? ''}`,
      select: {
        rule: [rule],
        // A selector has no empty lists.
        ...(devices.length > 0 && { device: devices }),
        ...(subject.metric !== undefined && { metric: [subject.metric] }),
        ...(label.length > 0 && { label }),
      },
      until,
      comment: 'by a link of a message',
    };
  });
}

const OVER = ['It is over', markup`<p>Nothing that this message tells of is open any more.</p>`] as const;

const page = (title: string, content: ReturnType<typeof markup>): string =>
  markup`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} – Device Metrics</title><h1>${title}</h1>${content}</html>`
    .text;
