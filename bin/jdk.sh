# SPDX-License-Identifier: Apache-2.0
# Sourced by godwit, verify and mvnw (bash): finds a JDK that can build and run Godwit.

GODWIT_JAVA_MIN=25

# java_major HOME: prints nothing, sets MAJOR to the feature release of the Java in HOME (0: none).
java_major() {
  local line
  MAJOR=0
  if [ -r "$1/release" ]; then
    while read -r line; do
      case $line in
        JAVA_VERSION=*)
          line=${line#JAVA_VERSION=}
          MAJOR=${line//\"/}
          break
          ;;
      esac
    done <"$1/release"
  elif [ -x "$1/bin/java" ]; then
    # Debian's own packages of old releases have no release file: ask the binary.
    line=$("$1/bin/java" -XshowSettings:properties -version 2>&1 | grep -m1 'java.specification.version' || true)
    MAJOR=${line##*= }
  fi
  case $MAJOR in 1.*) MAJOR=${MAJOR#1.} ;; esac
  MAJOR=${MAJOR%%[!0-9]*}
  MAJOR=${MAJOR:-0}
}

# find_jdk: sets JDK to a home with java and javac of release >= 25 and returns 0; or sets JDK_SEEN to what it saw instead.
find_jdk() {
  local home path
  JDK='' JDK_SEEN=''
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* PATH; do
    if [ "$home" = PATH ]; then
      path=$(command -v java 2>/dev/null) && path=$(readlink -f "$path") || continue
      home=${path%/bin/java}
    fi
    [ -n "$home" ] && [ -x "$home/bin/java" ] || continue
    java_major "$home"
    if [ "$MAJOR" -ge "$GODWIT_JAVA_MIN" ]; then
      if [ -x "$home/bin/javac" ]; then
        JDK=$home
        return 0
      fi
      JDK_SEEN+="${JDK_SEEN:+, }Java $MAJOR without a compiler in $home"
    elif [ ! -L "$home" ]; then
      JDK_SEEN+="${JDK_SEEN:+, }Java $MAJOR in $home"
    fi
  done
  return 1
}

# need_jdk NAME: find_jdk, or one sentence and exit 3.
need_jdk() {
  find_jdk && return 0
  echo "$1: needs a JDK $GODWIT_JAVA_MIN or newer and found ${JDK_SEEN:-no Java at all}; install one (for example Eclipse Temurin $GODWIT_JAVA_MIN, package temurin-$GODWIT_JAVA_MIN-jdk) or point JAVA_HOME at it." >&2
  exit 3
}
