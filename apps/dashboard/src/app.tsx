import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useEffect, useState } from 'react';
import { Link, Route, Switch, useLocation } from 'wouter';
import { carried, useSearchParams } from './address.js';
import { ApiError, connection } from './api.js';
import { useSession } from './data/session.js';
import { ConnectionLine } from './parts/connection-line.js';
import { Account } from './parts/account.js';
import { PageBoundary } from './parts/page-boundary.js';
import { NotFound } from './parts/not-found.js';
import { SAID_TITLE } from './parts/use-title.js';
import { SignedIn } from './parts/sign-in.js';
import { PAGES } from './pages.js';

/** An answer that will not change is asked for once; one that failed for a while, again. */
const makeClient = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      // What the browser takes for being offline says nothing of an api on this machine, and a change would wait without a word.
      mutations: { networkMode: 'always' },
      queries: {
        networkMode: 'always',
        staleTime: 10_000,
        gcTime: 120_000,
        refetchOnWindowFocus: true,
        retry: (failures, error) => failures < 2 && error instanceof ApiError && error.isTemporary,
        retryDelay: 1_000,
      },
    },
  });

/** The frame of all pages: the navigation, the line that says that the api is away, and the page of the address. */
export function App() {
  const [client] = useState(makeClient);
  useEffect(() => {
    const listener = ({ reachable, signedOut }: { reachable: boolean; signedOut: boolean }): void => {
      if (reachable && !signedOut) void client.invalidateQueries();
    };
    connection.listeners.add(listener);
    return () => void connection.listeners.delete(listener);
  }, [client]);
  return (
    <QueryClientProvider client={client}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <Navigation />
      <ConnectionLine />
      <p id={SAID_TITLE} className="hidden" role="status" />
      <main id="content" tabIndex={-1}>
        <PageBoundary>
          <SignedIn>
            <Suspense fallback={<div className="page-wait" aria-busy="true" />}>
              <Switch>
                {PAGES.map(({ path, Show }) => (
                  <Route key={path} path={path} component={Show} />
                ))}
                <Route component={NotFound} />
              </Switch>
            </Suspense>
          </SignedIn>
        </PageBoundary>
      </main>
    </QueryClientProvider>
  );
}

function Navigation() {
  const [location] = useLocation();
  const [parameters, setParameters] = useSearchParams();
  const kiosk = parameters.has('kiosk');
  const caller = useSession().session?.caller;
  // What only a person at the screen uses is hidden by the style.
  useEffect(() => {
    document.documentElement.classList.toggle('kiosk', kiosk);
    if (!kiosk) return;
    const leave = (): void => setParameters((before) => withoutKiosk(before), { replace: true });
    const byKey = ({ key }: KeyboardEvent): void => void (key === 'Escape' && leave());
    const byScreen = (): void => void (document.fullscreenElement === null && leave());
    document.addEventListener('keydown', byKey);
    document.addEventListener('fullscreenchange', byScreen);
    return () => {
      document.removeEventListener('keydown', byKey);
      document.removeEventListener('fullscreenchange', byScreen);
    };
  }, [kiosk, setParameters]);
  // On a phone the links do not fit beside each other.
  useEffect(() => {
    document.querySelector('nav [aria-current="page"]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [location, caller]);
  if (kiosk) return null;
  const isHere = (path: string): boolean =>
    path === '/' ? location === '/' || location.startsWith('/devices/') : location.startsWith(path);
  // Who has come by a shared link sees its page, and is led nowhere else.
  const isGuest = caller?.kind === 'share';
  const pages = PAGES.filter(({ linked, needs }) => linked && (needs === undefined || caller?.rights.includes(needs)));
  return (
    <header className="frame">
      <Link href={isGuest ? (caller.page ?? '/') : '/'} className="brand" aria-label="Device Metrics, to the devices">
        <svg viewBox="0 0 32 32" aria-hidden="true">
          <path d="M3 19h6l3-9 5 14 3.5-9H29" />
        </svg>
        <span>Device Metrics</span>
      </Link>
      {caller && !isGuest && (
        <nav aria-label="Pages">
          {pages.map(({ path, title }) => (
            <Link key={path} href={path + carried(parameters)} aria-current={isHere(path) ? 'page' : undefined}>
              {title}
            </Link>
          ))}
        </nav>
      )}
      <Account />
    </header>
  );
}

function withoutKiosk(parameters: URLSearchParams): URLSearchParams {
  const after = new URLSearchParams(parameters);
  after.delete('kiosk');
  return after;
}
