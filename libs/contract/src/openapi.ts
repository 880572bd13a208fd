import * as mapped from '@nestjs/mapped-types';
import type { Type } from '@nestjs/common';
import type * as Swagger from '@nestjs/swagger';

/*
 * The decorators of @nestjs/swagger, which is loaded when somebody asks what the calls are: it takes a sixth of the CPU of
 * a start, and 25 MB. Until then is kept what the decorators say.
 */

type Decorate = (...on: unknown[]) => void;
type Decorators = { [N in keyof typeof Swagger]: (...args: unknown[]) => Decorate };

const said: ((swagger: typeof Swagger) => void)[] = [];

function later<N extends keyof typeof Swagger>(name: N): (typeof Swagger)[N] {
  const decorator = (...args: unknown[]): Decorate => {
    return (...on) => {
      said.push((swagger) => (swagger as unknown as Decorators)[name](...args)(...on));
    };
  };
  return decorator as unknown as (typeof Swagger)[N];
}

export const ApiBasicAuth = later('ApiBasicAuth');
export const ApiBearerAuth = later('ApiBearerAuth');
export const ApiBody = later('ApiBody');
export const ApiConsumes = later('ApiConsumes');
export const ApiCookieAuth = later('ApiCookieAuth');
export const ApiCreatedResponse = later('ApiCreatedResponse');
export const ApiExcludeController = later('ApiExcludeController');
export const ApiExcludeEndpoint = later('ApiExcludeEndpoint');
export const ApiExtension = later('ApiExtension');
export const ApiExtraModels = later('ApiExtraModels');
export const ApiFoundResponse = later('ApiFoundResponse');
export const ApiHeader = later('ApiHeader');
export const ApiHideProperty = later('ApiHideProperty');
export const ApiAcceptedResponse = later('ApiAcceptedResponse');
export const ApiNoContentResponse = later('ApiNoContentResponse');
export const ApiOkResponse = later('ApiOkResponse');
export const ApiOperation = later('ApiOperation');
export const ApiParam = later('ApiParam');
export const ApiProduces = later('ApiProduces');
export const ApiProperty = later('ApiProperty');
export const ApiPropertyOptional = later('ApiPropertyOptional');
export const ApiQuery = later('ApiQuery');
export const ApiResponse = later('ApiResponse');
export const ApiTags = later('ApiTags');

/** Of a property: texts by their names, such as labels and tags. */
export const TEXTS = { type: 'object', additionalProperties: { type: 'string' } } as const;

/** Where the schema of a class stands in the description. */
export const getSchemaPath = ({ name }: Type): string => `#/components/schemas/${name}`;

/** A class with some properties of another, and their rules. */
export function PickType<T, K extends keyof T>(of: Type<T>, keys: readonly K[]): Type<Pick<T, (typeof keys)[number]>> {
  const picked = mapped.PickType(of, keys);
  said.push((swagger) => describeAs(picked, of, swagger, (name) => (keys as readonly string[]).includes(name)));
  return picked;
}

/** A class with all properties of several, and their rules. */
export function IntersectionType<A, B>(a: Type<A>, b: Type<B>): Type<A & B> {
  const both = mapped.IntersectionType(a, b) as unknown as Type<A & B>;
  said.push((swagger) => [a, b].forEach((of) => describeAs(both, of, swagger)));
  return both;
}

/** The module that describes calls, once it knows everything that the decorators said. */
export async function described(): Promise<typeof Swagger> {
  const swagger = await import('@nestjs/swagger');
  for (const say of said.splice(0)) say(swagger);
  return swagger;
}

/** Gives a class what is said of properties of another. */
function describeAs(
  target: Type,
  of: Type,
  { ApiProperty }: typeof Swagger,
  which = (_name: string): boolean => true,
): void {
  const [from, to] = [of.prototype, target.prototype] as [object, object];
  const names = (Reflect.getMetadata('swagger/apiModelPropertiesArray', from) ?? []) as string[];
  for (const name of names.map((withColon) => withColon.slice(1)).filter(which)) {
    ApiProperty(Reflect.getMetadata('swagger/apiModelProperties', from, name) as object)(to, name);
  }
}
