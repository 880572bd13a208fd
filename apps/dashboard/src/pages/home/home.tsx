import { useMemo } from 'react';
import { useAddress } from '../../address.js';
import type { FleetDevice } from '../../data/fleet.js';
import { FleetContext, useFleet } from '../../data/use-fleet.js';
import { KioskButton } from '../../parts/kiosk-button.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useNarrow } from '../../parts/use-narrow.js';
import { useTitle } from '../../parts/use-title.js';
import { AddDevice } from './add-device.js';
import { arrange, tagNames } from './arrange.js';
import { COLUMNS, DeviceTable, firstSort } from './device-table.js';
import { FirstSteps } from './first-steps.js';
import { Problems } from './problems.js';
import './home.css';

/** What a person opens first: what is wrong, then every device with its figures. */
export default function Home() {
  useTitle('Devices');
  const { fleet, sparks, devices, isLoading, hasFigures, error, retry } = useFleet();
  const byName = (useAddress().get('sort') ?? 'name') === 'name';
  const context = useMemo(() => ({ fleet, sparks }), [fleet, sparks]);
  if (error) return <ProblemNotice what="The devices could not be read." error={error} onRetry={retry} />;
  // Rows that come in one order and change to another would jump.
  if (isLoading || !(hasFigures || byName || devices.length === 0))
    return <div className="page-wait" aria-busy="true" />;
  if (devices.length === 0) return <FirstSteps />;
  return (
    <FleetContext value={context}>
      <div className="page-head">
        <h1 className="grow">Devices</h1>
        <KioskButton />
        <AddDevice />
      </div>
      <Problems devices={devices} />
      <Devices devices={devices} />
    </FleetContext>
  );
}

const STATUSES = ['online', 'late', 'offline'] as const;

/** The table, and what chooses and orders its rows; all of that stands in the address. */
function Devices({ devices }: { devices: readonly FleetDevice[] }) {
  const address = useAddress();
  const narrow = useNarrow();
  const sort = address.get('sort') ?? 'name';
  const groupBy = address.get('group');
  const search = address.get('q') ?? '';
  const { parameters } = address;
  const rows = useMemo(() => {
    return arrange(devices, {
      search,
      status: parameters.getAll('status'),
      tags: parameters.getAll('tag'),
      sort,
      groupBy,
    });
  }, [devices, search, parameters, sort, groupBy]);
  const tags = useMemo(() => tagNames(devices), [devices]);
  const shown = rows.filter(({ kind }) => kind === 'device').length;
  const statuses = address.all('status');
  const chosenTags = address.all('tag');
  const setSort = (to: string): void => address.set({ sort: to === 'name' ? undefined : to });
  const toggle = (name: string, values: string[], value: string): void =>
    address.set({ [name]: values.includes(value) ? values.filter((each) => each !== value) : [...values, value] });
  return (
    <section aria-label="All devices">
      <div className="bar filters">
        <input
          type="search"
          className="field search"
          aria-label="Search devices"
          placeholder="Search names, notes, tags"
          value={search}
          onChange={(event) => address.set({ q: event.target.value || undefined }, { replace: true })}
        />
        <div className="segments" role="group" aria-label="Status">
          {STATUSES.map((status) => (
            <button
              key={status}
              type="button"
              aria-pressed={statuses.includes(status)}
              onClick={() => toggle('status', statuses, status)}
            >
              {status} <span className="soft">{devices.filter((device) => device.status === status).length}</span>
            </button>
          ))}
        </div>
        {tags.size > 0 && (
          <>
            <select
              className="field"
              aria-label="Filter by tag"
              value=""
              onChange={(event) => toggle('tag', chosenTags, event.target.value)}
            >
              <option value="">Tag…</option>
              {[...tags].map(([name, values]) => (
                <optgroup key={name} label={name}>
                  {values.map((value) => (
                    <option key={value} value={`${name}=${value}`}>
                      {name} = {value}
                    </option>
                  ))}
                </optgroup>
              ))}
            </select>
            <select
              className="field"
              aria-label="Group by tag"
              value={groupBy ?? ''}
              onChange={(event) => address.set({ group: event.target.value || undefined })}
            >
              <option value="">Not grouped</option>
              {[...tags.keys()].map((name) => (
                <option key={name} value={name}>
                  By {name}
                </option>
              ))}
            </select>
          </>
        )}
        {narrow && <SortSelect sort={sort} onSort={setSort} />}
        {chosenTags.map((tag) => (
          <button
            key={tag}
            type="button"
            className="button small"
            aria-label={`Remove the filter ${tag}`}
            onClick={() => toggle('tag', chosenTags, tag)}
          >
            {tag} ×
          </button>
        ))}
        <span className="soft count" role="status">
          {shown === devices.length ? '' : `${shown} of `}
          {devices.length} {devices.length === 1 ? 'device' : 'devices'}
        </span>
      </div>
      {shown > 0 ? (
        <DeviceTable rows={rows} sort={sort} onSort={setSort} />
      ) : (
        <div className="notice">
          <p>No device is as you filter.</p>
          <button
            type="button"
            className="button"
            onClick={() => address.set({ q: undefined, status: undefined, tag: undefined })}
          >
            Show all
          </button>
        </div>
      )}
    </section>
  );
}

/** Sorts where the heads of the columns have no room. */
function SortSelect({ sort, onSort }: { sort: string; onSort: (sort: string) => void }) {
  const sorts = COLUMNS.map(([key, title]) => [firstSort(key), title] as const);
  const known = sorts.some(([each]) => each === sort);
  return (
    <select className="field" aria-label="Sort" value={sort} onChange={({ target }) => onSort(target.value)}>
      {!known && <option value={sort}>As in the link</option>}
      {sorts.map(([each, title]) => (
        <option key={each} value={each}>
          {title}
          {each.startsWith('-') ? ' ↓' : ' ↑'}
        </option>
      ))}
    </select>
  );
}
