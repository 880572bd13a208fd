import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import { toRfc3339 } from '@device-metrics/domain';
import { Needs } from '../access/needs.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems } from '../http/openapi.js';
import { Problem } from '../http/problem.js';
import { markup } from '../reporting/print/markup.js';
import { Alerts } from './alerts.js';
import { alertDto } from './answers.js';
import type { AlertState } from './evaluation/alert-state.js';
import type { LinkGrant } from './telling/links.js';

const SILENCE = 4 * 3_600_000;
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
  ask(@Param('token') token: string, @Query() _query: NoQuery): string {
    const grant = this.grantOf(token);
    const alerts = this.openOf(grant);
    const what = grant.action === 'acknowledge' ? 'Acknowledge' : 'Silence for 4 hours';
    const list = alerts.map((state) => {
      const { rule, summary } = alertDto(state, this.alerts.rules.get(state.rule)?.value);
      return markup`<li>${rule} – ${summary}</li>`;
    });
    const form = markup`<ul>${list}</ul><form method="post" action="/api/v1/alerts/act/${token}"><button>${what}</button></form>`;
    return page(what, alerts.length === 0 ? markup`<p>None of it is open any more.</p>` : form);
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
    const grant = this.grantOf(token);
    if (grant.action === 'acknowledge') {
      await this.alerts.acknowledge(new Set(grant.ids), 'a link of a message', '');
      return page('Acknowledged', markup`<p>It is not said again.</p>`);
    }
    const now = Date.now();
    const silences = this.openOf(grant).map(({ rule, subject, episode }) => ({
      name: `link ${episode?.id ?? ''}`,
      select: {
        rule: [rule],
        ...(subject.device !== '' && { device: [subject.device] }),
        ...(subject.metric !== undefined && {
          metric: [subject.metric],
          label: Object.entries(subject.labels ?? {}).map(([name, value]) => `${name}=${value}`),
        }),
      },
      until: toRfc3339(now + SILENCE),
      comment: 'by a link of a message',
    }));
    // A selector has no empty lists.
    const documents = silences.map(({ select: { label, ...select }, ...rest }) => ({
      ...rest,
      select: { ...select, ...(label && label.length > 0 && { label }) },
    }));
    if (documents.length > 0) await this.alerts.silences.put(documents, now);
    return page('Silenced', markup`<p>Nobody is told of it for 4 hours.</p>`);
  }

  private grantOf(token: string): LinkGrant {
    const grant = this.alerts.signer.read(token, Date.now());
    if (!grant) throw new Problem('link-expired', 'This link has expired, or was not made here.');
    return grant;
  }

  private openOf({ ids }: LinkGrant): AlertState[] {
    return this.alerts.current().filter(({ episode }) => episode?.ended === null && ids.includes(episode.id));
  }
}

const page = (title: string, content: ReturnType<typeof markup>): string =>
  markup`<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} – Device Metrics</title><h1>${title}</h1>${content}</html>`
    .text;
