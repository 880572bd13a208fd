import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiBasicAuth, ApiBearerAuth, ApiCookieAuth, ApiExtension } from '@device-metrics/contract/openapi';
import { ApiProblems } from '../http/openapi.js';
import { AddRouteConfig } from '../http/route-config.js';
import type { Right } from './rights.js';

/** `open`: for everybody; `signed in`: for everybody who has shown who they are. */
export type Need = Right | 'open' | 'signed in';

/**
 * What a caller must be allowed to do to get to this route. A route without it is closed, and the server does not start.
 */
export const Needs = (need: Need): MethodDecorator =>
  need === 'open'
    ? applyDecorators(AddRouteConfig({ needs: need }), ApiExtension('x-needs', need), SetMetadata('needs', need))
    : applyDecorators(
        AddRouteConfig({ needs: need }),
        SetMetadata('needs', need),
        ApiExtension('x-needs', need),
        ApiBearerAuth(),
        ApiBasicAuth(),
        ApiCookieAuth(),
        ApiProblems({
          401: 'This needs a token, as in "Authorization: Bearer dm_…", or to be signed in.',
          403: `This needs the right ${need}, which user anna (viewer) has not.`,
        }),
      );
