import {type DeclarationReference, type DeclarationReflection, type Reflection, ReflectionKind} from 'typedoc';

/**
 * Resolves `{@link name}` to the member of that name in whichever module declares it.
 *
 * TypeDoc looks only into the module of the comment, and the modules do not import one another.
 */
export function memberOfAnyModule(
  {symbolReference}: DeclarationReference,
  {project}: Reflection,
): DeclarationReflection | undefined {
  const [name, ...rest] = symbolReference?.path ?? [];
  if (name === undefined || rest.length > 0) return undefined;
  return project.children
    ?.flatMap((module) => module.children ?? [])
    .find((member) => member.name === name.path && !member.kindOf(ReflectionKind.Reference));
}
