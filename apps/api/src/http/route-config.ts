import { RouteConfig } from '@nestjs/platform-fastify';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import type { FastifyContextConfig } from 'fastify';

/** Adds to what Fastify's hooks know of a route; the decorator of Nest's adapter replaces what another one has said. */
export const AddRouteConfig =
  (config: FastifyContextConfig): MethodDecorator =>
  (target, property, descriptor) => {
    const before = Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, descriptor.value as object) as object | undefined;
    return RouteConfig({ ...before, ...config })(target, property, descriptor);
  };
