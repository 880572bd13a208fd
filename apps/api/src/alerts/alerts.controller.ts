import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@device-metrics/contract/openapi';
import type { AlertStore, Store, StoredAlertChange } from '@device-metrics/storage';
import type { FastifyRequest } from 'fastify';
import { DAY } from '@device-metrics/domain';
import { currentCaller } from '../access/caller.js';
import { Needs } from '../access/needs.js';
import { assertWholeSite } from '../access/whole-site.js';
import { DeviceRhythms } from '../devices/device-rhythms.js';
import { NO_PARAMETERS, NoQuery } from '../http/no-query.js';
import { ApiProblems, BAD_BODY } from '../http/openapi.js';
import { invalidInput, Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { ALERT_STORE } from './alert-store.token.js';
import { Alerts } from './alerts.js';
import {
  AcknowledgeDto,
  AlertDto,
  AlertHistoryDto,
  AlertHistoryQuery,
  AlertMessagesDto,
  AlertsDto,
  AlertsQuery,
  DryRunDto,
  DryRunResultDto,
} from './alerts.dto.js';
import { alertDto, changeDto, firingDto, groupsOf, messageDto, worstFirst } from './answers.js';
import { dryRun, NoPastError } from './dry-run.js';
import type { AlertState } from './evaluation/alert-state.js';
import { stateName } from './evaluation/state-machine.js';
import { mistakesAsProblem } from './mistakes.js';
import { readRule } from './rules/read-rule.js';
import type { Rule } from './rules/rule.js';

const MOST_FIRINGS = 1_000;
/** That are read of the history at a time. */
const MOST_CHANGES = 1_000;

@ApiTags('alerts')
@Controller('api/v1/alerts')
export class AlertsController {
  constructor(
    @Inject(Alerts) private readonly alerts: Alerts,
    @Inject(ALERT_STORE) private readonly alertStore: AlertStore,
    @Inject(SAMPLE_STORE) private readonly store: Store,
    private readonly rhythms: DeviceRhythms,
  ) {}

  @Get()
  @Needs('reports:read')
  @ApiOperation({ summary: 'Alerts: everything that is not normal now' })
  @ApiOkResponse({ type: AlertsDto })
  @ApiProblems({ 400: 'limit must be an integer from 1 to 10000, got "0"' })
  async list(@Query() { state, rule, device_name, limit }: AlertsQuery): Promise<AlertsDto> {
    const mayRead = await this.readable();
    const asked = this.alerts
      .current()
      .filter(
        (one) =>
          (one.phase !== 'normal' || one.blind !== null) &&
          (device_name === undefined || one.subject.device === device_name) &&
          (state?.includes(stateName(one)) ?? true) &&
          (rule?.includes(one.rule) ?? true) &&
          mayRead(one.subject.device),
      );
    const ruleOf = (one: AlertState): Rule | undefined => this.alerts.rules.get(one.rule)?.value;
    const shown = worstFirst(asked, ruleOf).slice(0, limit === undefined ? undefined : Number(limit));
    return {
      alerts: shown.map((one) => alertDto(one, ruleOf(one))),
      count: asked.length,
      groups: groupsOf(asked, ruleOf),
    };
  }

  @Get('history')
  @Needs('reports:read')
  @ApiOperation({ summary: 'History: every change of an alert, with its value' })
  @ApiOkResponse({ type: AlertHistoryDto })
  @ApiProblems({ 400: 'limit must be an integer from 1 to 1000, got "0"' })
  async history(@Query() query: AlertHistoryQuery): Promise<AlertHistoryDto> {
    const mayRead = await this.readable();
    const limit = Number(query.limit ?? 100);
    const timeOf = (text: string | undefined): number | undefined =>
      text === undefined ? undefined : Date.parse(text);
    const filter = {
      device: query.device_name,
      rule: query.rule,
      start: timeOf(query.start_time),
      end: timeOf(query.end_time),
    };
    // Who is limited to some devices gets as many changes of these, and does not learn how many others there are.
    const atOnce = currentCaller() ? MOST_CHANGES : limit;
    const found: StoredAlertChange[] = [];
    let before = query.before === undefined ? undefined : Number(query.before);
    let isMore = true;
    while (isMore && found.length < limit) {
      const changes = await this.alertStore.history({ ...filter, before, limit: atOnce });
      for (const change of changes) if (mayRead(change.device)) found.push(change);
      before = changes.at(-1)?.id;
      isMore = changes.length === atOnce;
    }
    const shown = found.slice(0, limit);
    const last = shown.at(-1);
    return {
      changes: shown.map((change) => changeDto(change, this.alerts.rules.get(change.rule)?.value)),
      ...(shown.length === limit && last && { next_before: last.id }),
    };
  }

  @Post(':id/acknowledge')
  @HttpCode(200)
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Acknowledge: somebody knows of it, and it is not said again' })
  @ApiParam({ name: 'id', example: '0b0c1f3e-7e0f-4b6e-9d5b-1f7d' })
  @ApiOkResponse({ type: AlertDto })
  @ApiProblems({ 'unknown-alert': 'There is no open alert "7".', ...BAD_BODY, 400: 'comment must be a text, got 7' })
  async acknowledge(
    @Param('id') id: string,
    @Body() { comment = '' }: AcknowledgeDto,
    @Query() _query: NoQuery,
    @Req() request: FastifyRequest,
  ): Promise<AlertDto> {
    const mayRead = await this.readable();
    const open = this.alerts.current().find(({ episode }) => episode?.id === id && episode.ended === null);
    if (!open || !mayRead(open.subject.device)) {
      throw new Problem('unknown-alert', `There is no open alert ${JSON.stringify(id.slice(0, 100))}.`);
    }
    const [state = open] = await this.alerts.acknowledge(new Set([id]), request.caller.name, comment);
    return alertDto(state, this.alerts.rules.get(state.rule)?.value);
  }

  @Post('rules/dry-run')
  @HttpCode(200)
  @Needs('reports:read')
  @ApiOperation({
    summary: 'Dry run: when a rule would have fired, on what, and for how long',
    description: 'Over what is stored; nothing is kept and nobody is told. The rule need not exist.',
  })
  @ApiOkResponse({ type: DryRunResultDto })
  @ApiProblems({ ...BAD_BODY, 400: 'rule.condition must have above, below, outside, equals or above_metric' })
  async dryRun(@Body() body: DryRunDto, @Query() _query: NoQuery): Promise<DryRunResultDto> {
    const now = Date.now();
    const end = Math.min(now, body.end_time === undefined ? now : Date.parse(body.end_time));
    const start = body.start_time === undefined ? end - 7 * DAY : Date.parse(body.start_time);
    if (start >= end) throw invalidInput([{ field: 'start_time', reason: 'must be before end_time and now' }]);
    const rule = mistakesAsProblem(() => readRule(body.rule), 'rule');
    try {
      const { firings, subjects, step } = await dryRun(this.store, this.rhythms, rule, { start, end });
      const shown = firings.slice(0, MOST_FIRINGS).map((firing) => firingDto(firing, rule, end));
      return { subjects, step, count: firings.length, firings: shown };
    } catch (error) {
      if (error instanceof NoPastError) throw invalidInput([{ field: 'rule.condition', reason: error.message }]);
      throw error;
    }
  }

  @Get('messages')
  @Needs('alerts:write')
  @ApiOperation({ summary: 'Messages: what was said, what waits, and what could not be delivered' })
  @ApiOkResponse({ type: AlertMessagesDto })
  @ApiProblems(NO_PARAMETERS)
  async messages(@Query() _query: NoQuery): Promise<AlertMessagesDto> {
    assertWholeSite('Messages');
    return { messages: (await this.alertStore.messages({ limit: 200 })).map(messageDto) };
  }

  /** Which devices the caller may see. */
  private async readable(): Promise<(device: string) => boolean> {
    if (!currentCaller()) return () => true;
    const names = new Set((await this.store.devices()).map(({ name }) => name));
    return (device) => names.has(device);
  }
}
