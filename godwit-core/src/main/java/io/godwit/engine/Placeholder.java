// SPDX-License-Identifier: Apache-2.0

package io.godwit.engine;

/** Lets the module export this package before it has a class of its own: delete this file with the first one. */
interface Placeholder {}
