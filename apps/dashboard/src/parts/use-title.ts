import { useEffect } from 'react';

/** Where a page that has taken the place of another is named to those who do not see it. */
export const SAID_TITLE = 'said-title';

/** Names the page in the window's title. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Device Metrics`;
    const place = document.getElementById(SAID_TITLE);
    if (place) place.textContent = title;
  }, [title]);
}
