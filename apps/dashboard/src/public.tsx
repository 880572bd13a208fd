import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { Suspense, lazy, useState } from 'react';
import { ConnectionLine } from './parts/connection-line.js';
import { PageBoundary } from './parts/page-boundary.js';

const StatusPage = lazy(() => import('./pages/status/status.js'));

/** The frame of the page that everybody may read: it leads nowhere, and asks nobody who they are. */
export function Public() {
  const [client] = useState(
    () => new QueryClient({ defaultOptions: { queries: { retry: false, networkMode: 'always' } } }),
  );
  return (
    <QueryClientProvider client={client}>
      <ConnectionLine />
      <main id="content">
        <PageBoundary>
          <Suspense fallback={<div className="page-wait" aria-busy="true" />}>
            <StatusPage />
          </Suspense>
        </PageBoundary>
      </main>
    </QueryClientProvider>
  );
}
