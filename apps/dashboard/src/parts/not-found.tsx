import { Link, useLocation } from 'wouter';
import { useTitle } from './use-title.js';

/** What an address shows that is no page. */
export function NotFound() {
  const [location] = useLocation();
  useTitle('Not found');
  return (
    <div className="notice">
      <p>
        There is no page <code>{location}</code>.
      </p>
      <Link href="/" className="button">
        To the devices
      </Link>
    </div>
  );
}
