# Warnings for our own code, hardening for everything, one sanitizer set for each build folder, ccache where there is one.
# GCC 12 at -O2 takes Asio's operator new and delete for coroutine frames for a mismatched pair: that one warning is off.
add_library(vitald_warnings INTERFACE)
target_compile_options(vitald_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align
  -Wformat=2 -Wimplicit-fallthrough -Wundef -Wvla -Werror
  $<$<CXX_COMPILER_ID:GNU>:-Wduplicated-cond -Wlogical-op -Wno-missing-field-initializers -Wno-mismatched-new-delete -Wno-restrict>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-missing-field-initializers>)

# What is built on Asio. UBSan looks at every pointer of every template of Asio's that such a file uses, which is half of its
# time to compile; a null or dangling pointer there is what ASan sees as well. Arithmetic, bounds, enums stay watched.
add_library(vitald_sanitize_less INTERFACE)
if("undefined" IN_LIST VITALD_SANITIZE)
  target_compile_options(vitald_sanitize_less INTERFACE -fno-sanitize=null,alignment,object-size,vptr)
endif()

if(VITALD_SANITIZE)
  string(REPLACE ";" "," sanitizers "${VITALD_SANITIZE}")
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  if("undefined" IN_LIST VITALD_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    add_compile_options(-fno-sanitize=function)  # clang 14 cannot assemble it in coroutines (LLVM issue 49689)
  endif()
  if("thread" IN_LIST VITALD_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Of Asio's fences, which the sanitizer does not model; and of an overrun that its instrumentation makes GCC 12 see.
    add_compile_options(-Wno-tsan -Wno-array-bounds)
  endif()
else()
  add_compile_options(-fstack-protector-strong -fstack-clash-protection -fcf-protection)
  add_compile_options($<$<CONFIG:Release>:-U_FORTIFY_SOURCE> $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${CCACHE})
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endif()
# Beast's two files need over a gigabyte each: never both at once on a small machine.
set_property(GLOBAL PROPERTY JOB_POOLS beast=1)
