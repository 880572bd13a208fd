import { useMutation, useQueryClient } from '@tanstack/react-query';
import { RuleFields } from './rule-form.js';
import { AsFile } from './as-file.js';
import { DryRun } from './dry-run.js';
import type { Document } from '../../data/alert-document.js';
import { useMaySetUp } from '../../data/session.js';
import { OPEN, useAlerts, type SetupItem } from '../../data/use-alerts.js';
import { Severity } from './now.js';
import { conditionWords, watchWords } from './rule-words.js';
import { save, Setup } from './setup.js';

/** What a rule of nothing in particular begins as. */
const FRESH: Document = {
  select: { metric: 'hw.temperature' },
  condition: { above: 80 },
  for: '5m',
  severity: 'warning',
};

/** What is watched. */
export function Rules() {
  const { data } = useAlerts({ state: OPEN, limit: 1 });
  const counts = new Map<string, number>();
  for (const { rule, count } of data?.groups ?? []) counts.set(rule, (counts.get(rule) ?? 0) + count);
  return (
    <>
      <Setup
        look={{
          kind: 'rules',
          title: 'Rules',
          one: 'rule',
          what: 'Each series that a rule watches has a state of its own.',
          none: 'There is no rule.',
          fresh: FRESH,
          columns: ['Watches', 'When', 'For', 'Severity', 'Now', 'On'],
          cells: (item) => [
            <bdi key="watches" className="soft">
              {watchWords(item.document)}
            </bdi>,
            conditionWords(item.document),
            <span key="for" className="no-break">
              {textOf(item.document['for']) || 'at once'}
            </span>,
            <Severity key="severity" severity={textOf(item.document['severity']) || 'warning'} />,
            counts.has(item.name) ? <strong className="bad-text">{counts.get(item.name)}</strong> : '–',
            <Switch key="on" item={item} />,
          ],
          fields: <RuleFields />,
          more: (document) => <DryRun document={document} />,
        }}
      />
      <AsFile />
    </>
  );
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Switches a rule on or off. */
function Switch({ item }: { item: SetupItem }) {
  const client = useQueryClient();
  const may = useMaySetUp();
  const isOn = item.document['enabled'] !== false;
  const change = useMutation({
    mutationFn: () => save('rules', item.name, { ...item.document, enabled: !isOn }, item),
    onSettled: () => client.invalidateQueries({ queryKey: ['alert-setup', 'rules'] }),
  });
  return (
    <>
      <input
        type="checkbox"
        className="switch"
        role="switch"
        aria-label={`${item.name} is on`}
        checked={change.isPending ? !isOn : isOn}
        disabled={!may || item.origin === 'file' || change.isPending}
        onChange={() => change.mutate()}
      />
      {change.error && (
        <span role="alert" className="bad-text">
          {change.error.message}
        </span>
      )}
    </>
  );
}
